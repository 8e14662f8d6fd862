/** Bytes from somewhere else, read only some way ahead of the ear, so that memory stays flat however many come. */
import type { ByteStream } from "../audio/byte_stream";

export interface ReadAheadOptions {
  /** So much waits in memory at most. */
  aheadBytes: number;
  /** Without a byte for so long, while bytes are wanted, it has stopped. */
  stallMs: number;
  maxBytes: number;
  stalled(): Error;
  tooLarge(): Error;
  /** Ends what the bytes come from, also while it is waited for. */
  stop(): void;
}

/** No sound needs less: who sends slower keeps a line silent. */
const LEAST_BYTES_PER_S = 400;

/** Fails nobody: what goes wrong is told to who reads the bytes. */
export async function readAhead(
  pieces: AsyncIterable<Uint8Array>,
  bytes: ByteStream,
  options: ReadAheadOptions,
): Promise<void> {
  const { aheadBytes, stallMs, maxBytes, stalled, tooLarge, stop } = options;
  let closed = false;
  let room = Promise.withResolvers<void>();
  bytes.onTaken = () => room.resolve();
  bytes.onClosed = () => {
    closed = true;
    room.resolve();
    stop();
  };
  let received = 0;
  let waitedMs = 0;
  try {
    // A file that was deleted just now already says so here.
    const iterator = pieces[Symbol.asyncIterator]();
    for (;;) {
      const begun = performance.now();
      const next = await within(iterator.next(), stallMs, stalled);
      if (closed) return;
      if (next.done) {
        bytes.end();
        return;
      }
      received += next.value.byteLength;
      if (received > maxBytes) throw tooLarge();
      waitedMs += performance.now() - begun;
      if (waitedMs > stallMs + (received / LEAST_BYTES_PER_S) * 1000) throw stalled();
      bytes.push(next.value);
      while (!closed && bytes.available >= aheadBytes) {
        room = Promise.withResolvers();
        await room.promise;
      }
    }
  } catch (error) {
    if (!closed) bytes.fail(error as Error);
  } finally {
    stop();
  }
}

async function within<T>(wanted: Promise<T>, ms: number, late: () => Error): Promise<T> {
  wanted.catch(() => undefined);
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(() => tooLate.reject(late()), ms);
  try {
    return await Promise.race([wanted, tooLate.promise]);
  } finally {
    clearTimeout(timer);
  }
}

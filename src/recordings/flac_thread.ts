/** Encodes one recording beside the event loop: an hour of it is seconds of work. Gives a piece when it is asked for one. */

import { constants, setPriority } from "node:os";
import { TELEPHONE_RATE_HZ } from "../audio/source";
import { readWavHeader, WAV_HEADER_BYTES, WAV_SAMPLE_BYTES } from "../audio/wav_header";
import { FlacEncoder } from "./flac_encoder";
import type { FromFlacThread, ToFlacThread } from "./flac_file";

declare const self: Worker;

// Linux takes it for this thread alone: events and answers go first.
setPriority(constants.priority.PRIORITY_LOW);

const PIECE_SECONDS = 10;

async function* encoded(path: string): AsyncGenerator<Uint8Array> {
  const file = Bun.file(path);
  const header = readWavHeader(await file.slice(0, WAV_HEADER_BYTES).bytes());
  if (!header) throw new Error("it is no recording");
  const { channels, dataBytes } = header;
  const sound = file.slice(WAV_HEADER_BYTES, WAV_HEADER_BYTES + dataBytes);
  const md5 = new Bun.CryptoHasher("md5");
  for await (const piece of sound.stream()) md5.update(piece);
  const frameBytes = channels * WAV_SAMPLE_BYTES;
  await FlacEncoder.ready();
  const encoder = new FlacEncoder({
    channels,
    rateHz: TELEPHONE_RATE_HZ,
    frames: dataBytes / frameBytes,
    md5: new Uint8Array(md5.digest()),
  });
  const pieceBytes = PIECE_SECONDS * TELEPHONE_RATE_HZ * frameBytes;
  for (let at = 0; at < dataBytes; at += pieceBytes) {
    const bytes = await sound.slice(at, at + pieceBytes).arrayBuffer();
    yield encoder.push(new Int16Array(bytes));
  }
  yield encoder.end();
}

let pieces: AsyncGenerator<Uint8Array> | null = null;
const tell = (message: FromFlacThread): void => self.postMessage(message);

self.onmessage = async ({ data }: MessageEvent<ToFlacThread>) => {
  pieces ??= encoded(data.path);
  try {
    const { done, value } = await pieces.next();
    tell(done ? { told: "end" } : { told: "piece", bytes: value });
  } catch (error) {
    tell({ told: "failed", why: String(error) });
  }
};

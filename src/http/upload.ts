/**
 * A body that is used while it still arrives: read no further ahead than some megabytes, so that the sender is
 * held back and memory stays flat however long it is. TCP does the holding back.
 */
import { ByteStream } from "../audio/byte_stream";
import { bodyTooLarge } from "./input";
import { Problem } from "./problem";

/** Files up to this size are taken over at once; of longer ones that much is read ahead of the ear. */
export const READ_AHEAD_BYTES = 8 * 1024 * 1024;
/** With so much in memory for all requests together, each is read only as it is heard. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
const SCARCE_BYTES = 256 * 1024;

/** What all uploads hold just now. */
let heldBytes = 0;

export interface UploadLimits {
  maxBytes: number;
  /** Without a byte for so long the sender is gone. */
  stallMs: number;
}

interface BodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export class Upload {
  readonly bytes: ByteStream;
  readonly #reader: BodyReader | null;
  #received = 0;
  #held = 0;
  #wanted: (() => void) | null = null;
  #closed = false;
  readonly #over = Promise.withResolvers<void>();

  constructor(
    request: Request,
    private readonly limits: UploadLimits,
  ) {
    const length = request.headers.get("content-length");
    const totalBytes = length === null ? null : Number(length);
    if (totalBytes !== null && totalBytes > limits.maxBytes) throw bodyTooLarge(limits.maxBytes);
    this.bytes = new ByteStream(request.body === null ? 0 : totalBytes);
    this.bytes.onTaken = () => this.#taken();
    this.bytes.onClosed = () => this.#close();
    this.#reader = request.body?.getReader() ?? null;
    void this.#receive();
  }

  /** Memory to reckon with. */
  get reservedBytes(): number {
    return Math.min(this.bytes.totalBytes ?? READ_AHEAD_BYTES, READ_AHEAD_BYTES);
  }

  /** Settles when all of it is here, when it failed, or when nobody wants the rest. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  async #receive(): Promise<void> {
    try {
      while (!this.#closed) {
        const { done, value } = await this.#read();
        if (done) {
          this.bytes.end();
          break;
        }
        if (this.#closed) break;
        this.#received += value.byteLength;
        if (this.#received > this.limits.maxBytes) throw bodyTooLarge(this.limits.maxBytes);
        this.#hold(value.byteLength);
        this.bytes.push(value);
        await this.#room();
      }
    } catch (error) {
      this.bytes.fail(error instanceof Problem ? error : lost());
      await this.#reader?.cancel().catch(() => undefined);
    }
    this.#over.resolve();
  }

  async #read(): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }> {
    if (!this.#reader) return { done: true };
    const stalled = Promise.withResolvers<never>();
    const timer = setTimeout(() => stalled.reject(stall(this.limits.stallMs)), this.limits.stallMs);
    try {
      const read = await Promise.race([this.#reader.read(), stalled.promise]);
      return read.value ? { done: false, value: read.value } : { done: true };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits until so much of what is here was taken that more may come. */
  async #room(): Promise<void> {
    while (!this.#closed && this.#held >= (heldBytes > MAX_HELD_BYTES ? SCARCE_BYTES : READ_AHEAD_BYTES)) {
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  #hold(change: number): void {
    this.#held += change;
    heldBytes += change;
  }

  #taken(): void {
    this.#hold(this.bytes.available - this.#held);
    this.#wanted?.();
    this.#wanted = null;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#taken();
    if (!this.bytes.ended) this.#reader?.cancel().catch(() => undefined);
    this.#over.resolve();
  }
}

const lost = (): Problem => new Problem(422, "upload_lost", "The upload broke off: send it again.");
/** The rest of the body may still come: nothing else can be asked on that connection. */
const stall = (stallMs: number): Problem =>
  new Problem(422, "upload_stalled", `Nothing came for ${stallMs / 1000} s (api.timeout): send without pausing.`, {
    headers: { connection: "close" },
  });

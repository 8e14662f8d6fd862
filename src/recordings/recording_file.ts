/**
 * A WAV file that is whole at any moment: its header never promises more than what a sync has put on the disk, and is
 * brought up to date every second. Writes go one after another, off the event loop.
 */
import { TELEPHONE_RATE_HZ } from "../audio/source";
import { WAV_HEADER_BYTES, WAV_SAMPLE_BYTES, wavHeader } from "../audio/wav_header";
import { OpenFile } from "./open_file";

export interface RecordingFileOptions {
  path: string;
  channels: 1 | 2;
  /** Asked after each sync: may it go on? */
  roomLeft: () => Promise<boolean>;
  /** Told once; after it nothing more is written. */
  failed: (reason: "disk_full" | "error") => void;
}

/** A disk that stands still for so long will not be waited for: two minutes of both channels. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

const isFull = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

export class RecordingFile {
  readonly #options: RecordingFileOptions;
  readonly #frameBytes: number;
  #queue: Promise<void>;
  #handle: OpenFile | null = null;
  /** Bytes of samples: in the file, known to be on the disk, waiting to be written. */
  #written = 0;
  #synced = 0;
  #waiting = 0;
  #failed = false;

  constructor(options: RecordingFileOptions) {
    this.#options = options;
    this.#frameBytes = options.channels * WAV_SAMPLE_BYTES;
    this.#queue = this.#begin();
  }

  /** Fails nobody: what goes wrong is told by `failed`. */
  append(samples: Int16Array): void {
    if (this.#failed || samples.length === 0) return;
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    this.#waiting += bytes.byteLength;
    if (this.#waiting > MAX_WAITING_BYTES) {
      this.#fail("error");
      return;
    }
    this.#then(async (handle) => {
      await this.#write(handle, bytes);
      this.#waiting -= bytes.byteLength;
      if (this.#written - this.#synced >= TELEPHONE_RATE_HZ * this.#frameBytes) await this.#sync(handle);
    });
  }

  settle(): void {
    this.#then((handle) => this.#sync(handle));
  }

  /** Returns how many frames there are: what could be written of those wanted. */
  async close(wantedFrames: number): Promise<number> {
    await this.#queue;
    const handle = this.#handle;
    if (!handle) return 0;
    this.#handle = null;
    const frames = Math.min(wantedFrames, Math.floor(this.#written / this.#frameBytes));
    const bytes = frames * this.#frameBytes;
    try {
      // A header that promises less than there is, is right; so the order is shorten, tell, sync.
      await handle.truncate(WAV_HEADER_BYTES + bytes);
      await handle.write(this.#header(bytes), 0, WAV_HEADER_BYTES, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return frames;
  }

  #begin(): Promise<void> {
    const { path } = this.#options;
    return this.#guarded(async () => {
      this.#handle = await OpenFile.open(path, "wx+");
      await this.#handle.write(this.#header(0), 0, WAV_HEADER_BYTES, 0);
      await this.#handle.datasync();
    });
  }

  #header(dataBytes: number): Uint8Array {
    return wavHeader(this.#options.channels, TELEPHONE_RATE_HZ, dataBytes);
  }

  /** A write that finds the disk full may still have written a part. */
  async #write(handle: OpenFile, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; ) {
      const place = WAV_HEADER_BYTES + this.#written;
      const bytesWritten = await handle.write(bytes, at, bytes.byteLength - at, place);
      at += bytesWritten;
      this.#written += bytesWritten;
    }
  }

  async #sync(handle: OpenFile): Promise<void> {
    // Promises what the sync before this one has put there; this one puts the promise there too.
    await handle.write(this.#header(this.#synced), 0, WAV_HEADER_BYTES, 0);
    await handle.datasync();
    this.#synced = this.#written;
    if (!(await this.#options.roomLeft())) this.#fail("disk_full");
  }

  #then(work: (handle: OpenFile) => Promise<void>): void {
    this.#queue = this.#queue.then(() =>
      this.#guarded(async () => {
        if (!this.#failed && this.#handle) await work(this.#handle);
      }),
    );
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#fail(isFull(error) ? "disk_full" : "error");
    }
  }

  #fail(reason: "disk_full" | "error"): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#options.failed(reason);
  }
}

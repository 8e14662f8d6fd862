/**
 * An open file, by its descriptor. Bun's own FileHandle ends the process when it is collected before its close was
 * answered, which a collection in the middle of an awaited close can bring about; a number is never collected.
 */
import { close, fdatasync, fstat, fsync, ftruncate, open, read, write } from "node:fs";
import { promisify } from "node:util";

const opened = promisify(open) as (path: string, flags: string, mode: number) => Promise<number>;
const closed = promisify(close);
const synced = promisify(fsync);
const dataSynced = promisify(fdatasync);
const truncated = promisify(ftruncate);
const lookedAt = promisify(fstat);

export class OpenFile {
  private constructor(private readonly fd: number) {}

  static async open(path: string, flags: string, mode = 0o600): Promise<OpenFile> {
    return new OpenFile(await opened(path, flags, mode));
  }

  /** Writes from bytes[at] on; returns how many of count bytes were taken. */
  write(bytes: Uint8Array, at: number, count: number, place: number): Promise<number> {
    return new Promise((resolve, reject) =>
      write(this.fd, bytes, at, count, place, (error, taken) => (error ? reject(error) : resolve(taken))),
    );
  }

  /** Reads into the whole of bytes, as far as there is something. */
  read(bytes: Uint8Array, place: number): Promise<number> {
    return new Promise((resolve, reject) =>
      read(this.fd, bytes, 0, bytes.byteLength, place, (error, taken) => (error ? reject(error) : resolve(taken))),
    );
  }

  async sizeBytes(): Promise<number> {
    return (await lookedAt(this.fd)).size;
  }

  truncate(bytes: number): Promise<void> {
    return truncated(this.fd, bytes);
  }

  sync(): Promise<void> {
    return synced(this.fd);
  }

  datasync(): Promise<void> {
    return dataSynced(this.fd);
  }

  close(): Promise<void> {
    return closed(this.fd);
  }
}

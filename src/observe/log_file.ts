/** A log in a file that never outgrows its bound: log, log.1 (the one before), … as many as are kept. */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";

export interface LogFileOptions {
  path: string;
  /** 0: no bound, somebody else rotates (reopen). */
  maxBytes: number;
  /** Older files beside it. */
  keep: number;
}

/** Why no log can be written there, and what to do; null: it can. Makes nothing. */
export function logFileFault(path: string): string | null {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) return "is a folder: name a file in it";
    accessSync(there ? path : dirname(path), constants.W_OK);
    return null;
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    return `cannot be written (${code}): make its folder, or choose another place`;
  }
}

export class LogFile {
  #descriptor: number;
  #bytes: number;

  /** Throws where the file cannot be written. */
  constructor(private readonly options: LogFileOptions) {
    this.#descriptor = openSync(options.path, "a", 0o640);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  /** Written when it returns, as far as this machine stays up. A disk that is full loses lines, never a telephone. */
  write(line: string): void {
    const { maxBytes } = this.options;
    const bytes = Buffer.byteLength(line);
    try {
      if (maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes > maxBytes && this.#isFile()) this.#rotate();
      appendFileSync(this.#descriptor, line);
      this.#bytes += bytes;
    } catch {
      // Nowhere is left to say so.
      this.#cutTorn();
    }
  }

  /** /dev/null, a terminal or a pipe never fills up, and root would rename the machine's own. */
  #isFile(): boolean {
    return fstatSync(this.#descriptor).isFile();
  }

  /** Half a line would spoil the next one too. */
  #cutTorn(): void {
    try {
      if (fstatSync(this.#descriptor).size > this.#bytes) ftruncateSync(this.#descriptor, this.#bytes);
    } catch {
      // a pipe, say
    }
  }

  /** After somebody else moved the file away. Where no other can be had, it goes on in the old one. */
  reopen(): void {
    let next: number;
    try {
      next = openSync(this.options.path, "a", 0o640);
    } catch {
      return;
    }
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#bytes = fstatSync(next).size;
  }

  #rotate(): void {
    const { path, keep } = this.options;
    try {
      for (let age = keep; age >= 1; age--) moveIfThere(age === 1 ? path : `${path}.${age - 1}`, `${path}.${age}`);
      if (keep === 0) rmSync(path, { force: true });
      this.reopen();
    } catch {
      // The file may be written and its folder not, as in /var/log: then the newest lines are worth more than the oldest.
    }
    if (this.#bytes === 0) return;
    ftruncateSync(this.#descriptor);
    this.#bytes = 0;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

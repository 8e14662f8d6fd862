/**
 * A log in a file that never outgrows its bound: log, log.1 (the one before), … as many as are kept. Somebody else may
 * move it, cut it, remove it or its folder: it is looked at again before a line is written. Everything but the last
 * breath is asynchronous, since a disk may answer late or never.
 */
import {
  accessSync,
  closeSync,
  constants,
  close as fsClose,
  fstat as fsFstat,
  ftruncate as fsFtruncate,
  open as fsOpen,
  fstatSync,
  write as fsWrite,
  openSync,
  promises,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export interface LogFileOptions {
  path: string;
  /** 0: no bound, somebody else rotates. */
  maxBytes: number;
  /** Older files beside it. */
  keep: number;
  monotonicMs(): number;
  /** What goes otherwise than it was meant to, though lines are written. Once, until it goes as it was meant to again. */
  complain(message: string): void;
}

/** Never waits for a reader: a pipe in the place of the file is refused, not opened. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;
const MODE = 0o640;
/** What somebody else does to the file is noticed after this. */
const LOOK_MS = 1000;
/** Of one write. */
const MAX_BATCH_CHARACTERS = 64 * 1024;
/** Of a disk, not of the configuration: they pass, and a telephone does not wait for it. */
const PASSING = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO"]);

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "unknown error";
const takesLines = (there: { isFile(): boolean; isCharacterDevice(): boolean }): boolean =>
  there.isFile() || there.isCharacterDevice();

/** Why no log can be written there, and what to do; null: it can, or will once its disk can. Makes nothing. */
export function logFileFault(path: string): string | null {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.isDirectory()) return "is a folder: name a file in it";
    if (there && !takesLines(there)) return "is no file: name one";
    accessSync(there ? path : dirname(path), constants.W_OK);
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (PASSING.has(code)) return null;
    return `cannot be written (${code}): make its folder, or choose another place`;
  }
}

/** Descriptors instead of FileHandles, which end the program where one is collected that nobody closed. */
type Done<T> = (error: Error | null, value: T) => void;
const told = <T>(ask: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => ask((error, value) => (error ? reject(error) : resolve(value))));
const opened = (path: string): Promise<number> => told((done) => fsOpen(path, FLAGS, MODE, done));
const closed = (descriptor: number): Promise<void> => told((done) => fsClose(descriptor, (e) => done(e ?? null)));
const stated = (descriptor: number): Promise<Stats> => told((done) => fsFstat(descriptor, done));
const cut = (descriptor: number, bytes: number): Promise<void> =>
  told((done) => fsFtruncate(descriptor, bytes, (e) => done(e ?? null)));
const written = (descriptor: number, bytes: Uint8Array, from: number): Promise<number> =>
  told((done) => fsWrite(descriptor, bytes, from, bytes.length - from, null, done));

export class LogFile {
  #descriptor: number | null = null;
  #inode = 0;
  #device = 0;
  #bytes = 0;
  /** /dev/null never fills up, and root would rename the machine's own. */
  #isFile = true;
  #lookedAtMs = 0;
  #complaint = "";

  /** Throws where the file can never be written. */
  constructor(private readonly options: LogFileOptions) {
    try {
      closeSync(openSync(options.path, FLAGS, MODE));
    } catch (error) {
      if (!PASSING.has(codeOf(error))) throw error;
    }
  }

  /** Writes the first of the lines, whole, and says how many; throws what the system says, and then wrote none. */
  async append(lines: readonly string[]): Promise<number> {
    await this.#lookAgain();
    const { maxBytes } = this.options;
    const first = Buffer.byteLength(lines[0] ?? "");
    if (maxBytes > 0 && this.#isFile && this.#bytes > 0 && this.#bytes + first > maxBytes) await this.#rotate();
    const count = this.#fitting(lines);
    const bytes = Buffer.from(lines.slice(0, count).join(""));
    const descriptor = this.#descriptor as number;
    try {
      for (let at = 0; at < bytes.length; ) at += await written(descriptor, bytes, at);
    } catch (error) {
      await this.#cutTorn(descriptor);
      throw error;
    }
    this.#bytes += bytes.length;
    return count;
  }

  #fitting(lines: readonly string[]): number {
    const { maxBytes } = this.options;
    let [count, bytes, characters] = [0, this.#bytes, 0];
    for (const line of lines) {
      bytes += Buffer.byteLength(line);
      characters += line.length;
      if (count > 0 && ((maxBytes > 0 && bytes > maxBytes) || characters > MAX_BATCH_CHARACTERS)) break;
      count++;
    }
    return count;
  }

  /** When the process ends: what an append that is under way has written already is not written twice. */
  appendNow(lines: readonly string[]): void {
    try {
      const descriptor = this.#descriptor ?? openSync(this.options.path, FLAGS, MODE);
      const { size } = fstatSync(descriptor);
      const before = this.#descriptor !== null && this.#isFile ? Math.max(0, size - this.#bytes) : 0;
      const bytes = Buffer.from(lines.join(""));
      if (before < bytes.length) writeSync(descriptor, bytes, before);
    } catch {
      // nowhere is left to say so
    }
  }

  /** Somebody moved the file away: it is looked at before the next line. */
  reopen(): void {
    this.#lookedAtMs = 0;
  }

  async #lookAgain(): Promise<void> {
    const { path, monotonicMs } = this.options;
    const nowMs = monotonicMs();
    const before = this.#descriptor;
    if (before !== null && this.#lookedAtMs > 0 && nowMs - this.#lookedAtMs < LOOK_MS) return;
    const there = await promises.stat(path).catch(() => null);
    if (before !== null && there && there.ino === this.#inode && there.dev === this.#device) {
      this.#bytes = there.size; // somebody may have cut it
    } else {
      try {
        await this.#open();
        if (before !== null) await closed(before);
        this.#complaint = "";
      } catch (error) {
        // Moved away, and no other may be made in its place: it is still a file somewhere.
        if (before === null || (await stated(before)).nlink === 0) throw error;
        this.#complain(
          `the log was moved, and ${path} cannot be made (${codeOf(error)}): it goes on where it is now`,
        );
      }
    }
    this.#lookedAtMs = Math.max(nowMs, 1);
  }

  async #open(): Promise<void> {
    const { path } = this.options;
    const descriptor = await opened(path).catch(async (error) => {
      if (codeOf(error) !== "ENOENT") throw error;
      await promises.mkdir(dirname(path), { recursive: true, mode: 0o750 });
      return await opened(path);
    });
    const there = await stated(descriptor);
    if (!takesLines(there)) {
      await closed(descriptor);
      throw Object.assign(new Error(`${path} is no file`), { code: "EINVAL" });
    }
    this.#descriptor = descriptor;
    this.#inode = there.ino;
    this.#device = there.dev;
    this.#isFile = there.isFile();
    this.#bytes = there.size;
  }

  /** Half a line would spoil the next one too. */
  async #cutTorn(descriptor: number): Promise<void> {
    try {
      if ((await stated(descriptor)).size > this.#bytes) await cut(descriptor, this.#bytes);
    } catch {
      // a device, say
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.options;
    const before = this.#descriptor as number;
    try {
      for (let age = keep; age >= 1; age--)
        await moveIfThere(age === 1 ? path : `${path}.${age - 1}`, `${path}.${age}`);
      if (keep === 0) await promises.rm(path, { force: true });
    } catch (error) {
      // The file may be written and its folder not, as in /var/log: then the newest lines are worth more than the oldest.
      await cut(before, 0);
      this.#bytes = 0;
      this.#complain(`${path} begins anew each time: its folder takes no second file (${codeOf(error)})`);
      return;
    }
    try {
      await this.#open();
    } catch (error) {
      if (keep > 0) await promises.rename(`${path}.1`, path).catch(() => undefined);
      throw error;
    }
    await closed(before);
    this.#complaint = "";
  }

  #complain(message: string): void {
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.options.complain(message);
  }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  try {
    await promises.rename(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

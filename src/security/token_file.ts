/**
 * tokens.json in the state folder: whole at any moment, its owner's alone. The command line and a running server
 * both change it, one after the other.
 */
import {
  closeSync,
  existsSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { isToken, type Token } from "./token";

/** The file cannot be used. One line, with the fix where there is one. */
export class TokenFileError extends Error {
  constructor(
    message: string,
    /** Of the system, where it refused. */
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

/** More than anybody has programs. */
export const MAX_TOKENS = 100;
const LOCK_PATIENCE_MS = 300;
/** A change takes milliseconds: whoever holds the lock for longer has died. */
export const LOCK_STALE_MS = 3000;

export const tokenFilePath = (folder: string): string => join(folder, "tokens.json");

export class TokenFile {
  readonly path: string;

  constructor(
    private readonly folder: string,
    /** A server has others to serve. */
    private readonly patienceMs = LOCK_PATIENCE_MS,
  ) {
    this.path = tokenFilePath(folder);
  }

  /** Differs when the file does; null: there is none. */
  stamp(): string | null {
    try {
      const stat = statSync(this.path, { bigint: true, throwIfNoEntry: false });
      return stat ? `${stat.ino}:${stat.mtimeNs}:${stat.size}` : null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "unknown error"; // read() says what is wrong
    }
  }

  /** No file: no tokens. */
  read(): Token[] {
    let text: string;
    try {
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      if (code === "ENOENT") return [];
      throw new TokenFileError(
        `${this.path}: cannot be read (${code}): set state_dir to a folder of this user, or start as the service's`,
      );
    }
    let tokens: unknown;
    try {
      tokens = (JSON.parse(text) as { tokens?: unknown } | null)?.tokens;
    } catch {
      tokens = null;
    }
    if (!Array.isArray(tokens) || tokens.length > MAX_TOKENS || !tokens.every(isToken)) {
      throw new TokenFileError(`${this.path}: is damaged: remove it and make the tokens anew (token create)`);
    }
    return tokens;
  }

  /** Returns what is there afterwards. lastly: before it counts. What either throws leaves the file as it was. */
  change(change: (tokens: readonly Token[]) => Token[], lastly: () => void = () => undefined): Token[] {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      this.#lock();
    } catch (error) {
      if (error instanceof TokenFileError) throw error;
      throw this.#unwritable(error);
    }
    try {
      const tokens = change(this.read());
      this.#orUnwritable(() => this.#draft(`${JSON.stringify({ tokens }, null, 2)}\n`));
      lastly();
      this.#orUnwritable(() => this.#take());
      return tokens;
    } finally {
      for (const path of [this.#draftPath, this.#lockPath]) rmSync(path, { force: true });
    }
  }

  get #lockPath(): string {
    return `${this.path}.lock`;
  }

  get #draftPath(): string {
    return `${this.path}.new`;
  }

  #lock(): void {
    const until = performance.now() + this.patienceMs;
    for (;;) {
      try {
        closeSync(openSync(this.#lockPath, "wx", 0o600));
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const held = statSync(this.#lockPath, { throwIfNoEntry: false });
      // In the future, too: the clock was set back since.
      if (held && Math.abs(Date.now() - held.mtimeMs) > LOCK_STALE_MS) rmSync(this.#lockPath, { force: true });
      else if (performance.now() > until) throw new TokenFileError(`${this.path}: is being changed: try again`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }

  /** Whole on the disk, and not in force. */
  #draft(text: string): void {
    rmSync(this.#draftPath, { force: true });
    const file = openSync(this.#draftPath, "wx", 0o600);
    try {
      writeFileSync(file, text); // all of it, or it throws
      fsyncSync(file);
      // Root made it: whoever owns the folder is to read it. By the descriptor: that owner may put a link in its place.
      if (process.getuid?.() === 0) {
        const { uid, gid } = statSync(this.folder);
        fchownSync(file, uid, gid);
      }
    } finally {
      closeSync(file);
    }
  }

  #take(): void {
    renameSync(this.#draftPath, this.path);
    const folder = openSync(dirname(this.path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }

  #orUnwritable(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw this.#unwritable(error);
    }
  }

  #unwritable(error: unknown): TokenFileError {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    const cure = code === "EACCES" ? ": try with sudo, or name the server's configuration with --config=FILE" : "";
    return new TokenFileError(`${this.path}: cannot be written (${code})${cure}`, code);
  }
}

/** Is there a token, or a file that would have to be mended first? Either way the server is not open to all. */
export function hasTokens(folder: string | null): boolean {
  if (folder === null || !existsSync(tokenFilePath(folder))) return false;
  try {
    return new TokenFile(folder).read().length > 0;
  } catch {
    return true;
  }
}

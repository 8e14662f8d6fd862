/** The machine that is installed on: a folder that its paths begin in, and its commands. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { ApplianceError } from "./appliance_error";

export interface Ran {
  code: number;
  /** Both streams. */
  output: string;
}

export interface Host {
  /** "" for this machine's own files. */
  root: string;
  /** systemd and udev are to be told; false where a folder is filled that a machine will start from later. */
  live: boolean;
  uid: number;
  /** This program's own file; null when it runs from its source. */
  executable: string | null;
  run(command: readonly string[]): Promise<Ran>;
  say(line: string): void;
  sleep(ms: number): Promise<void>;
}

const COMMAND_LIMIT_MS = 120_000;

export const linuxHost = (root: string): Host => ({
  root,
  live: root === "",
  uid: process.getuid?.() ?? -1,
  // A compiled program's modules lie in a file system of its own.
  executable: Bun.main.startsWith("/$bunfs/") ? process.execPath : null,
  run: async (command) => {
    try {
      const child = Bun.spawn([...command], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        timeout: COMMAND_LIMIT_MS,
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { code, output: out + err };
    } catch (error) {
      return { code: 127, output: `${command[0]}: ${(error as NodeJS.ErrnoException).code ?? error}` };
    }
  },
  say: (line) => void process.stdout.write(`${line}\n`),
  sleep: (ms) => Bun.sleep(ms),
});

/** The files below a host's root. What is written is whole or not there, also when the power goes. */
export class Files {
  constructor(private readonly root: string) {}

  at(path: string): string {
    return `${this.root}${path}`;
  }

  exists(path: string): boolean {
    return existsSync(this.at(path));
  }

  text(path: string): string | null {
    try {
      return readFileSync(this.at(path), "utf8");
    } catch {
      return null;
    }
  }

  link(path: string): string | null {
    try {
      return readlinkSync(this.at(path));
    } catch {
      return null;
    }
  }

  write(path: string, text: string, mode: number): void {
    this.#replace(path, (temporary) => {
      // By its descriptor: the service writes into the configuration's folder as well, and may name what it likes.
      const descriptor = openSync(temporary, "wx", mode);
      writeFileSync(descriptor, text);
      fchmodSync(descriptor, mode);
      closeSync(descriptor);
    });
  }

  /** from: outside of the root. */
  copy(from: string, path: string, mode: number): void {
    this.#replace(path, (temporary) => {
      copyFileSync(from, temporary, constants.COPYFILE_EXCL);
      chmodSync(temporary, mode);
    });
  }

  symlink(target: string, path: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    rmSync(this.at(path), { force: true });
    symlinkSync(target, this.at(path));
  }

  /** A second name for the file as it is now. */
  keep(path: string, asPath: string): void {
    const temporary = `${this.at(asPath)}.new`;
    rmSync(temporary, { force: true });
    linkSync(this.at(path), temporary);
    renameSync(temporary, this.at(asPath));
  }

  /** At no moment is `path` not there. */
  exchange(path: string, other: string): void {
    const temporary = `${this.at(path)}.old`;
    rmSync(temporary, { force: true });
    linkSync(this.at(path), temporary);
    renameSync(this.at(other), this.at(path));
    renameSync(temporary, this.at(other));
    syncFolder(dirname(this.at(path)));
  }

  /** Was it there? */
  remove(path: string): boolean {
    try {
      rmSync(this.at(path));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw new ApplianceError(`${path}: ${reason(error)}`);
    }
  }

  /** Where nothing is in it any more. */
  removeEmpty(path: string): void {
    if (this.exists(path) && readdirSync(this.at(path)).length === 0) rmdirSync(this.at(path));
  }

  /** With all that is in it. */
  removeFolder(path: string): boolean {
    if (!this.exists(path)) return false;
    rmSync(this.at(path), { recursive: true, force: true });
    return true;
  }

  #replace(path: string, fill: (temporary: string) => void): void {
    const place = this.at(path);
    const temporary = `${place}.new`;
    try {
      mkdirSync(dirname(place), { recursive: true });
      rmSync(temporary, { force: true });
      fill(temporary);
      const descriptor = openSync(temporary, "r");
      fsyncSync(descriptor);
      closeSync(descriptor);
      renameSync(temporary, place);
      syncFolder(dirname(place));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw new ApplianceError(`${path}: ${reason(error)}`);
    }
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

const REASONS: Record<string, string> = {
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
  EACCES: "may not be written",
  EPERM: "may not be written",
  ENOENT: "is not there",
};
const reason = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? code ?? String(error);
};

const CHUNK_BYTES = 1 << 20;

/** Do two files hold the same bytes? */
export async function sameBytes(one: string, other: string): Promise<boolean> {
  if (!existsSync(one) || !existsSync(other)) return false;
  const size = statSync(one).size;
  if (statSync(other).size !== size) return false;
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const [a, b] = await Promise.all(
      [one, other].map((path) =>
        Bun.file(path)
          .slice(at, at + CHUNK_BYTES)
          .bytes(),
      ),
    );
    if (!Buffer.from(a as Uint8Array).equals(b as Uint8Array)) return false;
  }
  return true;
}

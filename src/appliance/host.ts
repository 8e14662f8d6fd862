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
  /** Why nothing can listen on an address of this machine; null: something can. */
  listenFault(address: string): string | null;
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
  listenFault: (address) => {
    try {
      Bun.listen({ hostname: address, port: 0, socket: { data: () => undefined } }).stop(true);
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  },
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

  /** from: outside of the root. keptAs: gets what was there, once the new one is whole on the disk. */
  copy(from: string, path: string, mode: number, keptAs: string | null = null): void {
    this.#replace(
      path,
      (temporary) => {
        copyFileSync(from, temporary, constants.COPYFILE_EXCL);
        chmodSync(temporary, mode);
      },
      () => {
        if (keptAs !== null) this.#keep(path, keptAs);
      },
    );
  }

  symlink(target: string, path: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    rmSync(this.at(path), { force: true });
    symlinkSync(target, this.at(path));
  }

  /** A second name for the file as it is now. */
  #keep(path: string, asPath: string): void {
    const temporary = `${this.at(asPath)}.new`;
    rmSync(temporary, { force: true });
    linkSync(this.at(path), temporary);
    renameSync(temporary, this.at(asPath));
    // Of two names for one file rename leaves both.
    rmSync(temporary, { force: true });
  }

  /** At no moment is `path` not there. */
  exchange(path: string, other: string): void {
    const temporary = leftAside(this.at(path));
    rmSync(temporary, { force: true });
    linkSync(this.at(path), temporary);
    renameSync(this.at(other), this.at(path));
    renameSync(temporary, this.at(other));
    syncFolder(dirname(this.at(path)));
  }

  /** Of an exchange that was broken off: true where `path` had changed already, and only `other` was missing. */
  finishExchange(path: string, other: string): boolean {
    const temporary = leftAside(this.at(path));
    if (!existsSync(temporary)) return false;
    const broken = !this.exists(other);
    if (broken) renameSync(temporary, this.at(other));
    else rmSync(temporary);
    return broken;
  }

  /** What a write or an exchange that was broken off has left beside a file. */
  removeLeftovers(path: string): void {
    for (const left of [`${this.at(path)}.new`, leftAside(this.at(path))]) rmSync(left, { force: true });
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

  #replace(path: string, fill: (temporary: string) => void, beforeRename: () => void = () => undefined): void {
    const place = this.at(path);
    const temporary = `${place}.new`;
    try {
      mkdirSync(dirname(place), { recursive: true });
      rmSync(temporary, { force: true });
      fill(temporary);
      const descriptor = openSync(temporary, "r");
      fsyncSync(descriptor);
      closeSync(descriptor);
      beforeRename();
      renameSync(temporary, place);
      syncFolder(dirname(place));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw new ApplianceError(`${path}: ${reason(error)}`);
    }
  }
}

const leftAside = (place: string): string => `${place}.old`;

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
  const [a, b] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false }));
  if (!a?.isFile() || !b?.isFile() || a.size !== b.size) return false;
  const { size } = a;
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    const [mine, theirs] = await Promise.all(
      [one, other].map((path) =>
        Bun.file(path)
          .slice(at, at + CHUNK_BYTES)
          .bytes(),
      ),
    );
    if (!Buffer.from(mine as Uint8Array).equals(theirs as Uint8Array)) return false;
  }
  return true;
}

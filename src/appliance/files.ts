/** The files below a folder that a machine's paths begin in. What is written is whole or not there, also when the power goes. */
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ApplianceError } from "./appliance_error";

const CHUNK_BYTES = 1 << 20;

export class Files {
  constructor(private readonly root: string) {}

  at(path: string): string {
    return `${this.root}${path}`;
  }

  exists(path: string): boolean {
    return existsSync(this.at(path));
  }

  /** Null: nothing is there. Of a link, the link. */
  itself(path: string): Stats | null {
    return lstatSync(this.at(path), { throwIfNoEntry: false }) ?? null;
  }

  isFile(path: string): boolean {
    return this.itself(path)?.isFile() ?? false;
  }

  /** As this process would make it, and not a way to a file of somebody else. */
  isOwn(path: string, mode: number): boolean {
    const there = this.itself(path);
    return there?.isFile() === true && (there.mode & 0o7777) === mode && there.uid === process.getuid?.();
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
    this.#replace(path, mode, (descriptor) => writeFileSync(descriptor, text));
  }

  /** from: outside of the root. keptAs: gets what was there, once the new one is whole on the disk. */
  copy(from: string, path: string, mode: number, keptAs: string | null = null): void {
    const source = orSaid(from, () => openSync(from, "r"));
    try {
      this.#replace(
        path,
        mode,
        (descriptor) => {
          const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
          for (let bytes = readSync(source, chunk); bytes > 0; bytes = readSync(source, chunk))
            for (let at = 0; at < bytes; ) at += writeSync(descriptor, chunk, at, bytes - at);
        },
        () => {
          if (keptAs !== null) this.#keep(path, keptAs);
        },
      );
    } finally {
      closeSync(source);
    }
  }

  symlink(target: string, path: string): void {
    orSaid(path, () => {
      mkdirSync(dirname(this.at(path)), { recursive: true });
      rmSync(this.at(path), { force: true });
      symlinkSync(target, this.at(path));
    });
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

  /**
   * At no moment is `path` not there. What it was stays linked aside as well, until `forgetAside`: it tells an exchange
   * that was made from one that was not.
   */
  exchange(path: string, other: string): void {
    orSaid(path, () => {
      const temporary = leftAside(this.at(path));
      rmSync(temporary, { force: true });
      linkSync(this.at(path), temporary);
      renameSync(this.at(other), this.at(path));
      linkSync(temporary, this.at(other));
      syncFolder(dirname(this.at(path)));
    });
  }

  /** Was one begun, and `path` has changed already? Then it is whole after this. */
  finishExchange(path: string, other: string): boolean {
    const aside = lstatSync(leftAside(this.at(path)), { throwIfNoEntry: false });
    if (!aside) return false;
    if (!this.itself(other)) orSaid(other, () => linkSync(leftAside(this.at(path)), this.at(other)));
    return this.itself(other)?.ino === aside.ino;
  }

  /** It can come back, whatever becomes of `path`. */
  setAside(path: string): void {
    this.forgetAside(path);
    if (this.itself(path)) orSaid(path, () => linkSync(this.at(path), leftAside(this.at(path))));
  }

  comeBack(path: string): void {
    const temporary = leftAside(this.at(path));
    if (lstatSync(temporary, { throwIfNoEntry: false })) orSaid(path, () => renameSync(temporary, this.at(path)));
    // Of two names for one file rename leaves both.
    this.forgetAside(path);
  }

  forgetAside(path: string): void {
    this.remove(leftAside(path));
  }

  /** `path` becomes what `other` is, which is not there any more. */
  move(other: string, path: string): void {
    orSaid(path, () => {
      renameSync(this.at(other), this.at(path));
      syncFolder(dirname(this.at(path)));
    });
  }

  /** What a write or an exchange that was broken off has left beside a file. */
  removeLeftovers(path: string): void {
    this.remove(`${path}.new`);
    this.forgetAside(path);
  }

  /** Was it there? */
  remove(path: string): boolean {
    // Where nothing may be written, what is not there is refused as well.
    if (!this.itself(path)) return false;
    orSaid(path, () => rmSync(this.at(path)));
    return true;
  }

  /** Where nothing is in it any more. */
  removeEmpty(path: string): boolean {
    if (!this.exists(path) || readdirSync(this.at(path)).length > 0) return false;
    rmdirSync(this.at(path));
    return true;
  }

  /** With all that is in it; of a link to one, the link. */
  removeFolder(path: string): boolean {
    if (!this.itself(path)) return false;
    orSaid(path, () => rmSync(this.at(path), { recursive: true, force: true }));
    return true;
  }

  names(path: string): string[] {
    return this.exists(path) ? readdirSync(this.at(path)).sort() : [];
  }

  #replace(
    path: string,
    mode: number,
    fill: (descriptor: number) => void,
    beforeRename: () => void = () => undefined,
  ): void {
    const place = this.at(path);
    const temporary = `${place}.new`;
    try {
      mkdirSync(dirname(place), { recursive: true });
      this.remove(`${path}.new`);
      // By its descriptor: the service writes into the configuration's folder as well, and may name what it likes.
      const descriptor = openSync(temporary, "wx", mode);
      try {
        fill(descriptor);
        fchmodSync(descriptor, mode);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      beforeRename();
      renameSync(temporary, place);
      syncFolder(dirname(place));
    } catch (error) {
      this.remove(`${path}.new`);
      throw new ApplianceError(`${path}: ${reason(error)}`);
    }
  }
}

function orSaid<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new ApplianceError(`${path}: ${reason(error)}`);
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
  EISDIR: "a folder is there",
};
export const reason = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ""] ?? code ?? String(error);
};

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

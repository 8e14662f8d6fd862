/** A disk that a test may fill, or that is read-only. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rig } from "./backend";
import { needs } from "./needs";

function canMount(): boolean {
  if (rig !== null || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), "dahdi-mount-"));
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "none", folder]);
  Bun.spawnSync(["umount", folder]);
  rmSync(folder, { recursive: true });
  return exitCode === 0;
}

export const mountable = needs(canMount(), "mounting a small disk needs root");

export interface SmallDisk extends Disposable {
  where: string;
  /** Not a byte is left. */
  fill(): void;
  makeRoom(): void;
  remount(options: string): void;
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(stderr.toString());
}

/** where: is made. options: of mount -o, such as size=512k. */
export function mounted(where: string, options: string): SmallDisk {
  mkdirSync(where);
  run("mount", "-t", "tmpfs", "-o", options, "none", where);
  const ballast = join(where, "ballast");
  return {
    where,
    fill: () => void Bun.spawnSync(["dd", "if=/dev/zero", `of=${ballast}`, "bs=1k"]),
    makeRoom: () => rmSync(ballast),
    remount: (other) => run("mount", "-o", `remount,${other}`, where),
    [Symbol.dispose]: () => void Bun.spawnSync(["umount", "-l", where]),
  };
}

export interface FreezableDisk extends Disposable {
  where: string;
  /** Whoever writes waits, until it thaws: a card that has gone for a while. */
  freeze(): void;
  thaw(): void;
}

function canFreeze(): boolean {
  if (!canMount() || Bun.which("mkfs.ext4") === null || Bun.which("fsfreeze") === null) return false;
  const folder = mkdtempSync(join(tmpdir(), "dahdi-freeze-"));
  try {
    freezable(join(folder, "disk"))[Symbol.dispose]();
    return true;
  } catch {
    return false; // a container without loop devices, say
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const freezing = needs(canFreeze(), "freezing a disk needs root, a loop device and ext4");

/** where: is made, and its image beside it. */
export function freezable(where: string): FreezableDisk {
  mkdirSync(where);
  run("dd", "if=/dev/zero", `of=${where}.image`, "bs=1M", "count=16", "status=none");
  run("mkfs.ext4", "-q", `${where}.image`);
  run("mount", "-o", "loop", `${where}.image`, where);
  let frozen = false;
  const thaw = (): void => {
    if (frozen) run("fsfreeze", "--unfreeze", where);
    frozen = false;
  };
  return {
    where,
    freeze: () => {
      run("fsfreeze", "--freeze", where);
      frozen = true;
    },
    thaw,
    [Symbol.dispose]: () => {
      thaw();
      Bun.spawnSync(["umount", "-l", where]);
      rmSync(`${where}.image`);
    },
  };
}

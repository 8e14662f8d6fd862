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

/** A log that cannot be read: how it is known, and where it goes. */
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { LOG_FILE } from "./log_store";

const KEPT = 3;

/** The file is not what we wrote, or not any more. */
export const isDamage = (error: unknown): boolean =>
  ["SQLITE_CORRUPT", "SQLITE_NOTADB", "FOREIGN_FILE", "NEWER_FILE"].some((code) =>
    String((error as { code?: string }).code).startsWith(code),
  );

export interface SetAside {
  /** Its name from now on. */
  name: string;
  /** Unix ms; ids in it may be as great as those of this time. */
  writtenAtMs: number;
}

/** A damaged log is kept for whoever can read it, and a fresh one may begin. */
export function setAside(folder: string, now: Date): SetAside {
  const written = ["", "-wal"].map((part) => statSync(join(folder, LOG_FILE + part), { throwIfNoEntry: false }));
  const stamp = now.toISOString().replaceAll(/[-:]/g, "").replace(/\.\d+/, "");
  const name = `${LOG_FILE}.corrupt-${stamp}`;
  renameSync(join(folder, LOG_FILE), join(folder, name));
  // The name that SQLite looks for beside it, so that its last events can still be saved.
  for (const part of ["-wal", "-shm"]) {
    try {
      renameSync(join(folder, LOG_FILE + part), join(folder, name + part));
    } catch {
      // there was none
    }
  }
  // This one in any case: its name may be of a clock that was not set yet.
  const others = readdirSync(folder).filter(
    (file) => /^events\.db\.corrupt-\d{8}T\d{6}Z$/.test(file) && file !== name,
  );
  for (const old of others.sort().slice(0, 1 - KEPT)) {
    for (const part of ["", "-wal", "-shm"]) rmSync(join(folder, old + part), { force: true });
  }
  return { name, writtenAtMs: Math.max(...written.map((file) => file?.mtimeMs ?? 0)) };
}

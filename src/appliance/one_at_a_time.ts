/** One command at a time changes an installation: two would write the same files and restart each other's service. */
import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { ApplianceError } from "./appliance_error";
import { Files, reason } from "./files";
import type { Host } from "./host";

/** Said to the commands that we run: they are part of this one. */
export const HELD = "DAHDI_PHONE_API_INSTALLING";

const NAME = "dahdi-phone-api.lock";
const BUSY = "another install, upgrade or uninstall is at work here: wait until it has ended";
const TRIES = 100;

/** Whoever is second is told so, and changes nothing. */
export async function oneAtATime<T>(host: Host, work: () => Promise<T>): Promise<T> {
  if (host.held) return await work();
  const path = new Files(host.root).at(host.live ? `/run/${NAME}` : `/.${NAME}`);
  let lock = taken(path);
  for (let again = 0; lock === null && again < TRIES; again++) lock = taken(path);
  if (lock === null) throw new ApplianceError(BUSY);
  try {
    return await work();
  } finally {
    try {
      rmSync(path, { force: true });
    } finally {
      lock.close();
    }
  }
}

/** SQLite's lock on an empty file is the kernel's: it ends with the process, however that ends. Null: try again. */
function taken(path: string): Database | null {
  let lock: Database | null = null;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Nobody else's to read, who could hold it as well.
    closeSync(openSync(path, "a", 0o600));
    const { ino } = statSync(path);
    lock = new Database(path, { readwrite: true });
    // Nothing is ever written: it needs no file for a journal.
    lock.run("PRAGMA journal_mode = MEMORY");
    lock.run("BEGIN EXCLUSIVE");
    // The one before us may have removed it between our opening and our turn.
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) return lock;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code.startsWith("SQLITE_BUSY")) {
      lock?.close();
      throw new ApplianceError(BUSY);
    }
    if (code !== "ENOENT" && code !== "SQLITE_CANTOPEN") throw new ApplianceError(`${path}: ${reason(error)}`);
  }
  lock?.close();
  return null;
}

/** The event log's file as of one moment, whether a server is writing it or not. */
import { Database } from "bun:sqlite";
import { closeSync, copyFileSync, existsSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

export const EVENT_LOG = "events.db";
/** A checkpoint moves pages from the -wal into the file every few hundred events: seldom, and not for long. */
const TRIES = 50;
const WAL_HEADER_BYTES = 32;

/** A server holds the file to itself, so that it is copied: false where it was never of one moment. */
export function snapshotEvents(folder: string, into: string): boolean {
  const from = join(folder, EVENT_LOG);
  const copy = `${into}.copy`;
  for (let tries = 0; tries < TRIES; tries++) {
    const before = moment(from);
    copyFileSync(from, copy);
    rmSync(`${copy}-wal`, { force: true });
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${copy}-wal`);
    // The file changes only by a checkpoint, after which the -wal begins anew with another salt.
    if (moment(from) === before && settle(copy, into)) {
      for (const part of ["", "-wal", "-shm"]) rmSync(copy + part, { force: true });
      return true;
    }
  }
  return false;
}

function moment(path: string): string {
  const { mtimeMs, size } = statSync(path);
  const wal = Buffer.alloc(WAL_HEADER_BYTES);
  if (existsSync(`${path}-wal`)) {
    const descriptor = openSync(`${path}-wal`, "r");
    readSync(descriptor, wal, 0, WAL_HEADER_BYTES, 0);
    closeSync(descriptor);
  }
  return `${mtimeMs} ${size} ${wal.toString("hex")}`;
}

/** One file out of both, and sound. */
function settle(copy: string, into: string): boolean {
  rmSync(into, { force: true });
  const database = new Database(copy, { readwrite: true });
  try {
    const [[verdict] = []] = database.query("PRAGMA integrity_check").values();
    if (verdict !== "ok") return false;
    database.run("VACUUM INTO ?", [into]);
    return true;
  } catch {
    return false;
  } finally {
    database.close();
  }
}

/** Somebody has it open: a server that runs. */
export function isHeld(folder: string): boolean {
  const path = join(folder, EVENT_LOG);
  if (!existsSync(path)) return false;
  const database = new Database(path, { readwrite: true });
  try {
    database.run("BEGIN IMMEDIATE");
    database.run("ROLLBACK");
    return false;
  } catch (error) {
    return (error as { code?: string }).code === "SQLITE_BUSY";
  } finally {
    database.close();
  }
}

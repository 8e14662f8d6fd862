/**
 * Events in SQLite, on the log's own thread. What it says it has written outlives this process (kill -9); what it has
 * also `sync`ed outlives the power.
 *
 *   events     one row each, in the order of ids
 *   holes      lost: ids whose events are lost, or may be, after a crash or while the disk would not take them;
 *              not lost: ids between two processes, which no event ever had and no client can have seen
 *   cursors    how far each webhook got
 *   facts      reaches_from: every event after this id is here or in a hole · first_id: of the newest process ·
 *              closed: 1 when that process stopped in an orderly way · believed_ms: Unix ms, the believed clock
 *
 * Pages of 1 KiB: an event on its own costs the card one block and not two. The lock is held for the life of the
 * process, so that no other one gives the same ids.
 */
import { Database, type Statement } from "bun:sqlite";
import { closeSync, fdatasyncSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Gap } from "./event_log";
import { foreignFile, PAGE_BYTES, prepareFile } from "./log_layout";
import { LogPieces, type StoredFilter, type StoredPiece, type StoredRow } from "./log_pieces";
import { outdated } from "./outdated";

export interface StoreOptions {
  /** null: there is none. */
  folder: string | null;
  maxBytes: number;
  maxAgeMs: number;
}

export interface OpenRequest {
  /** Unix µs: where ids begin if nothing speaks against it. */
  nowUs: number;
  /** Where events were given out before the log could be opened: what memory has of them. */
  inMemory: { firstId: number; oldestId: number } | null;
}

export const LOG_FILE = "events.db";
/** More ids than a process gives between two commits: those of a crashed one are not given again. */
export const CRASH_JUMP_IDS = 1_000_000;
/** Deleted in one step. */
const PRUNE_ROWS = 500;
/** How far the believed clock goes on before it is noted, with what is written anyway. */
const NOTE_CLOCK_MS = 3_600_000;

export class LogStore {
  readonly #database: Database;
  readonly #append: Statement;
  readonly #hole: Statement;
  readonly #fact: Statement;
  readonly #walFd: number;
  readonly #pieces: LogPieces;
  /** The last id that is written or known as lost. */
  position = 0;
  reachesFrom = 0;
  firstId = 0;
  /** Unix ms: of a clock that the next start may go on from; null: of none yet. */
  believedMs: number | null = null;
  /** A sync failed: the kernel takes for written what the card may not have, and does not try it again. */
  #doubtful = false;
  #notedClockMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: StoreOptions,
    request: OpenRequest,
  ) {
    const { folder } = options;
    if (folder === null) throw Object.assign(new Error("no state folder"), { code: "NO_STATE_DIR" });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, LOG_FILE);
    // Whom somebody telephones is nobody else's business, whatever the folder allows.
    closeSync(openSync(path, "a", 0o600));
    this.#database = new Database(path, { create: true, readwrite: true });
    const prepared: Statement[] = [];
    const prepare = (sql: string): Statement => {
      const statement = this.#database.prepare(sql);
      prepared.push(statement);
      return statement;
    };
    this.#pieces = new LogPieces(this.#database);
    try {
      this.#database.run("PRAGMA locking_mode = EXCLUSIVE");
      prepareFile(this.#database);
      this.#fact = prepare("INSERT OR REPLACE INTO facts VALUES (?, ?)");
      this.#database.transaction(() => this.#begin(request))();
      this.#append = prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?)");
      this.#hole = prepare("INSERT OR REPLACE INTO holes VALUES (?, ?, 1)");
      this.#walFd = openSync(`${path}-wal`, "r");
    } catch (error) {
      // One that is left would keep the file locked, and its next opening would take us for another process.
      for (const statement of prepared) statement.finalize();
      this.#database.close();
      throw error;
    }
  }

  /** Finds this process's first id, and notes what a crash may have lost. */
  #begin({ nowUs, inMemory }: OpenRequest): void {
    const fact = (name: string): number | null =>
      this.#numberOrNull("SELECT value FROM facts WHERE name = ?", name);
    const previousFirst = fact("first_id");
    const closed = fact("closed") === 1;
    const known = Math.max(
      this.#numberOrNull("SELECT max(id) FROM events") ?? 0,
      this.#numberOrNull("SELECT max(to_id) FROM holes") ?? 0,
      (previousFirst ?? 1) - 1,
    );
    this.reachesFrom = fact("reaches_from") ?? 0;
    const newestAtMs = this.#numberOrNull("SELECT at_ms FROM events ORDER BY id DESC LIMIT 1");
    this.believedMs = fact("believed_ms") ?? newestAtMs;
    if (inMemory !== null && inMemory.firstId === previousFirst) {
      // This very process wrote it: a new thread, or a disk that is back.
      this.firstId = previousFirst;
      this.position = known;
      return;
    }
    const goesOn = inMemory !== null && inMemory.oldestId > known;
    this.firstId = goesOn ? inMemory.oldestId : Math.max(nowUs, known + (closed ? 1 : CRASH_JUMP_IDS));
    const complete = goesOn && inMemory.oldestId === inMemory.firstId;
    // Past this numbers are not counted one by one any more, and we never got there.
    if (!Number.isSafeInteger(this.firstId + CRASH_JUMP_IDS)) throw foreignFile();
    const lost = !closed || (inMemory !== null && !complete);
    const set = this.#fact;
    if (previousFirst === null) set.run("reaches_from", this.firstId - 1);
    else {
      // Not lost: the id before the first is a place in the log as well, the one of a client that saw nothing yet.
      const to = lost ? this.firstId - 1 : this.firstId - 2;
      if (to > known) {
        this.#database.run("INSERT OR REPLACE INTO holes VALUES (?, ?, ?)", [known + 1, to, lost ? 1 : 0]);
      }
    }
    this.position = this.firstId - 1;
    this.firstId = goesOn ? inMemory.firstId : this.firstId;
    set.run("first_id", this.firstId);
    set.run("closed", 0);
    this.reachesFrom = fact("reaches_from") ?? this.position;
  }

  /**
   * Before the first event is written: ids were given from `firstId` on while the disk did not answer. None was given
   * between, so nothing is lost there.
   */
  beginAt(firstId: number): void {
    if (firstId <= this.firstId) return;
    this.#database.transaction(() => {
      // As of an orderly start, the id before the first is a place in the log.
      if (firstId - 2 > this.position) {
        this.#database.run("INSERT INTO holes VALUES (?, ?, 0)", [this.position + 1, firstId - 2]);
      }
      this.#fact.run("first_id", firstId);
    })();
    this.firstId = firstId;
    this.position = firstId - 1;
  }

  /** One transaction. gap: what memory lost before it could be written. Throws where the disk will not take it. */
  write(rows: readonly StoredRow[], gap: Gap | null, cursors: readonly [string, number][]): void {
    if (this.#doubtful) this.#rewrite();
    this.#database.transaction(() => {
      if (gap) this.#hole.run(gap.from, gap.to);
      for (const row of rows) this.#append.run(...row);
      for (const [name, id] of cursors) {
        this.#database.run("INSERT OR REPLACE INTO cursors VALUES (?, ?)", [name, id]);
      }
      this.#noteClock(NOTE_CLOCK_MS);
    })();
    this.position = Math.max(this.position, gap?.to ?? 0, rows.at(-1)?.[0] ?? 0);
  }

  #noteClock(everyMs: number): void {
    const { believedMs } = this;
    if (believedMs === null || Math.abs(believedMs - this.#notedClockMs) < everyMs) return;
    this.#fact.run("believed_ms", Math.trunc(believedMs));
    this.#notedClockMs = believedMs;
  }

  /** Waits until the power may fail. */
  sync(): void {
    if (this.#doubtful) this.#rewrite();
    try {
      fdatasyncSync(this.#walFd);
    } catch (error) {
      this.#doubtful = true;
      throw error;
    }
  }

  /** All that the -wal holds goes into the tables, and it begins anew: what comes after a hole in it would be lost. */
  #rewrite(): void {
    if (this.#number("PRAGMA wal_checkpoint(TRUNCATE)") !== 0) {
      throw Object.assign(new Error(), { code: "SQLITE_BUSY_CHECKPOINT" });
    }
    this.#doubtful = false;
  }

  read(after: number, limit: number, filter: StoredFilter): StoredPiece {
    return this.#pieces.after(after, limit, filter, this);
  }

  /** The newest first, none newer than `upTo`; all after `next` was looked at. */
  readBack(upTo: number, limit: number, filter: StoredFilter): StoredPiece {
    return this.#pieces.upTo(upTo, limit, filter, this);
  }

  /** Ids that no event ever had. */
  neverGiven(): Gap[] {
    const ranges = this.#database.query("SELECT from_id, to_id FROM holes WHERE NOT lost").values();
    return (ranges as [number, number][]).map(([from, to]) => ({ from, to }));
  }

  cursors(): [string, number][] {
    return this.#database.query("SELECT name, id FROM cursors").values() as [string, number][];
  }

  get maxBytes(): number {
    return this.options.maxBytes;
  }

  get usedBytes(): number {
    return (this.#number("PRAGMA page_count") - this.#number("PRAGMA freelist_count")) * PAGE_BYTES;
  }

  /** One small step of retention; true: there is more to do. nowMs: a clock that can be believed. */
  prune(nowMs: number): boolean {
    const { maxBytes, maxAgeMs } = this.options;
    if (this.usedBytes > maxBytes) {
      const last = this.#numberOrNull("SELECT id FROM events ORDER BY id LIMIT 1 OFFSET ?", PRUNE_ROWS - 1);
      if (last !== null) {
        this.#drop(last);
        return true;
      }
    }
    const old = outdated(this.#database, nowMs, maxAgeMs, PRUNE_ROWS);
    if (old) this.#drop(old.lastId);
    return old?.more ?? false;
  }

  #drop(last: number): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM events WHERE id <= ?", [last]);
      this.#database.run("DELETE FROM holes WHERE to_id <= ?", [last]);
      this.#fact.run("reaches_from", last);
    })();
    this.reachesFrom = last;
    // Freed pages are used again; the file shrinks only where max_bytes was lowered.
    if (this.#number("PRAGMA page_count") * PAGE_BYTES > this.options.maxBytes * 1.1) {
      this.#database.run("PRAGMA incremental_vacuum(256)");
    }
  }

  /** Orderly: nothing is missing after the last event. */
  close(): void {
    try {
      this.#noteClock(1);
      this.#fact.run("closed", 1);
    } finally {
      this.abandon();
    }
  }

  abandon(): void {
    closeSync(this.#walFd);
    // A statement that is left would keep the file locked.
    for (const statement of [this.#append, this.#hole, this.#fact]) statement.finalize();
    this.#database.close();
  }

  #numberOrNull(sql: string, ...values: (string | number)[]): number | null {
    return (this.#database.query(sql).values(...values)[0]?.[0] as number | null | undefined) ?? null;
  }

  #number(sql: string): number {
    return this.#numberOrNull(sql) ?? 0;
  }
}

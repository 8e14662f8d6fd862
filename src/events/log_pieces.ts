/** Pieces of the stored log, in either direction, with what is missing in them. */
import type { Database } from "bun:sqlite";
import { OPT_IN_EVENT_TYPES } from "../line/events";
import type { Gap } from "./event_log";

/** id, line, Unix ms, type, the rest of the body as JSON. */
export type StoredRow = [id: number, line: number, atMs: number, type: string, body: string];

export interface StoredFilter {
  types: readonly string[] | null;
  lines: readonly number[] | null;
}

export interface StoredPiece {
  rows: StoredRow[];
  gaps: Gap[];
  next: number;
}

/** What of the log is stored: after the one id, up to the other. */
interface Extent {
  reachesFrom: number;
  position: number;
}

/** Looked at in one read, so that a rare type in a long log does not keep writes waiting (about 5 ms). */
const SCAN_ROWS = 10_000;

export class LogPieces {
  constructor(private readonly database: Database) {}

  after(after: number, limit: number, filter: StoredFilter, { reachesFrom, position }: Extent): StoredPiece {
    const start = Math.max(after, reachesFrom);
    const end = this.#cut("id > ? ORDER BY id", start, filter) ?? Math.max(position, start);
    const rows = this.#passing(start, end, limit, filter, "ASC");
    const next = rows.length === limit ? (rows.at(-1)?.[0] ?? end) : end;
    const gaps = this.#lost(start, next);
    return { rows, gaps: start > after ? [{ from: after + 1, to: start }, ...gaps] : gaps, next };
  }

  upTo(upTo: number, limit: number, filter: StoredFilter, { reachesFrom, position }: Extent): StoredPiece {
    const end = Math.min(upTo, position);
    const cutAt = this.#cut("id <= ? ORDER BY id DESC", end, filter);
    const start = Math.min(cutAt === null ? reachesFrom : cutAt - 1, end);
    const rows = this.#passing(start, end, limit, filter, "DESC");
    const next = rows.length === limit ? (rows.at(-1)?.[0] ?? end) - 1 : start;
    const gaps = this.#lost(next, end);
    return { rows, gaps: upTo > end ? [...gaps, { from: end + 1, to: upTo }] : gaps, next };
  }

  /** With a filter it may be far to the next row that passes: a look that would take long is cut short here. */
  #cut(wanted: string, from: number, { types, lines }: StoredFilter): number | null {
    if (types === null && lines === null) return null;
    const sql = `SELECT id FROM events WHERE ${wanted} LIMIT 1 OFFSET ?`;
    return (this.database.query(sql).values(from, SCAN_ROWS - 1)[0]?.[0] as number | undefined) ?? null;
  }

  #passing(
    start: number,
    end: number,
    limit: number,
    { types, lines }: StoredFilter,
    order: "ASC" | "DESC",
  ): StoredRow[] {
    const wanted = [
      "id > ? AND id <= ?",
      ...(lines === null ? [] : [`line IN (${lines.map(() => "?").join(", ")})`]),
      `type ${types === null ? "NOT IN" : "IN"} (${(types ?? OPT_IN_EVENT_TYPES).map(() => "?").join(", ")})`,
    ].join(" AND ");
    return this.database
      .query(`SELECT id, line, at_ms, type, body FROM events WHERE ${wanted} ORDER BY id ${order} LIMIT ?`)
      .values(start, end, ...(lines ?? []), ...(types ?? OPT_IN_EVENT_TYPES), limit) as StoredRow[];
  }

  /** After `start`, and begun by `end`. */
  #lost(start: number, end: number): Gap[] {
    const ranges = this.database
      .query("SELECT from_id, to_id FROM holes WHERE lost AND to_id > ? AND from_id <= ? ORDER BY from_id")
      .values(start, end) as [number, number][];
    return ranges.map(([from, to]) => ({ from: Math.max(from, start + 1), to }));
  }
}

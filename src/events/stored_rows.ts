/** Events as the log's rows, and back. */
import type { LineEventBody, LineEventType } from "../line/events";
import type { LogEntry, LogPiece } from "./event_log";
import type { StoredPiece, StoredRow } from "./log_pieces";
import { PublishedEvent } from "./published";

export function rowOf({ id, line, atMs, body }: PublishedEvent): StoredRow {
  const { type, ...rest } = body;
  return [id, line, Math.trunc(atMs), type, JSON.stringify(rest)];
}

/** Rows as events, and the gaps where they belong, oldest first. */
export function merged({ rows, gaps, next }: StoredPiece): LogPiece {
  const entries: LogEntry[] = [...gaps];
  for (const [id, line, atMs, type, rest] of rows) {
    const body = parsed(rest);
    // A bit that the disk turned over: SQLite keeps no checksums of what it stores.
    if (body === null) entries.push({ from: id, to: id });
    else
      entries.push(
        new PublishedEvent(id, line, atMs, 0, { type: type as LineEventType, ...body } as LineEventBody),
      );
  }
  const order = (entry: LogEntry): number => ("from" in entry ? entry.from : entry.id);
  entries.sort((a, b) => order(a) - order(b));
  return { entries, next };
}

function parsed(text: string): object | null {
  try {
    return JSON.parse(text) as object;
  } catch {
    return null;
  }
}

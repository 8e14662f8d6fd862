/** Which events are too old to be kept, where the clock that stamped them may have been wrong. */
import type { Database } from "bun:sqlite";

/** No clock that was ever set says less. */
const UNSET_BEFORE_MS = Date.UTC(2020, 0, 1);
const DAY_MS = 86_400_000;
/** A single event that is a little too old is no reason to wake the card. */
const AGE_SLACK_MS = 3_600_000;

export interface Outdated {
  /** All up to this id. */
  lastId: number;
  /** As many as were looked at: there may be more. */
  more: boolean;
}

/**
 * Events have the order in which they happened, whatever their clock said: none is too old that comes after one that is
 * not, and one from 1970 or from the future says nothing about itself; it goes when a later one is too old.
 */
export function outdated(database: Database, nowMs: number, maxAgeMs: number, rows: number): Outdated | null {
  const beforeMs = nowMs - maxAgeMs;
  const [sinceMs, untilMs] = [UNSET_BEFORE_MS, nowMs + DAY_MS];
  const [firstId, firstAtMs] = (database
    .query("SELECT id, at_ms FROM events WHERE at_ms BETWEEN ? AND ? ORDER BY id LIMIT 1")
    .values(sinceMs, untilMs)[0] ?? [0, beforeMs]) as [number, number];
  if (firstAtMs >= beforeMs) return null;
  const looked = database
    .query("SELECT id, at_ms FROM events WHERE id >= ? ORDER BY id LIMIT ?")
    .values(firstId, rows) as [number, number][];
  let lastId = firstId;
  let young = false;
  for (const [id, atMs] of looked) {
    if (atMs < sinceMs || atMs > untilMs) continue;
    young = atMs >= beforeMs;
    if (young) break;
    lastId = id;
  }
  const more = looked.length === rows && !young;
  if (!more && firstAtMs >= beforeMs - Math.min(AGE_SLACK_MS, maxAgeMs / 10)) return null;
  return { lastId, more };
}

/** What the journal and the log's thread tell each other. Answers come in the order of the requests. */
import type { Gap } from "./event_log";
import type { StoredFilter, StoredPiece, StoredRow } from "./log_pieces";
import type { OpenRequest, StoreOptions } from "./log_store";

export type ToLogThread =
  /** Of one that is open already: what was given meanwhile. */
  | { do: "open"; options: StoreOptions; request: OpenRequest }
  /** Taken only where everything up to `after` was: so that nothing is written past a failure. */
  | { do: "write"; after: number; rows: StoredRow[]; gap: Gap | null; cursors: [string, number][] }
  /** What came after an id, or the newest up to it, those first. */
  | { do: "read"; ticket: number; which: "after" | "up to"; id: number; limit: number; filter: StoredFilter }
  | { do: "close" };

export interface StoreState {
  /** The last id that is written or known as lost. */
  position: number;
  reachesFrom: number;
  usedBytes: number;
}

export type FromLogThread =
  | {
      told: "opened";
      firstId: number;
      state: StoreState;
      cursors: [string, number][];
      neverGiven: Gap[];
      /** The name that a log which cannot be read now has, and why it cannot. */
      setAside: { name: string; problem: string } | null;
    }
  | { told: "written"; state: StoreState }
  | { told: "pruned"; state: StoreState }
  /** closed: it must be opened again. */
  | { told: "failed"; problem: string; closed: boolean; position: number }
  | { told: "piece"; ticket: number; piece: StoredPiece | null }
  | { told: "closed" };

/** What became of an announcement: the telephone was rung, and said something to who answered. */
import type { GatherResult, Played } from "./gather";

export type AnnouncementOutcome =
  /** Said, and where digits were asked for, asked for: gather tells how that ended. */
  | "completed"
  | "not_answered"
  | "hung_up"
  /** Lifted already, and `when_lifted` is busy. */
  | "busy"
  | "stopped"
  | "error";

export interface AnnouncementResult {
  announceId: string;
  outcome: AnnouncementOutcome;
  /** From the bell's first burst; null: not answered, or lifted already. */
  answeredAfterMs: number | null;
  heardMs: number;
  played: Played;
  /** null: none was asked for, or it did not come to that. */
  gather: GatherResult | null;
}

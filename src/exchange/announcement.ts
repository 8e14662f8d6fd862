/** An announcement as clients ask for it. */
import type { AnnouncementResult } from "../line/announcement";
import { invalid } from "./caller_id";
import type { GatherRequest } from "./gather";
import type { PcmSource, RingRequest } from "./verbs";

export const DEFAULT_MAX_RING_MS = 30_000;
/** From the hook to the ear. */
export const DEFAULT_PAUSE_MS = 500;
export const MAX_PAUSE_MS = 10_000;

export interface AnnounceVerb {
  source: PcmSource;
  /** Times; more than once only what is wholly in memory, as for playback. */
  loop: number;
  ring: Pick<RingRequest, "pattern" | "customPattern" | "callerId">;
  /** Omitted: 30 s. */
  maxRingMs?: number;
  /** Between the answer and the first word; omitted: 500. */
  pauseMs?: number;
  /** A telephone that is lifted already hears it at once, or is left alone. */
  whenLifted: "play" | "busy";
  /** Digits are collected after it, and during it. */
  gather: GatherRequest | null;
}

/** One under way. */
export interface Announcement {
  announceId: string;
  finished: Promise<AnnouncementResult>;
  /** Nothing where it is over. */
  stop(): void;
}

export function checkAnnounce({ maxRingMs = DEFAULT_MAX_RING_MS, pauseMs = DEFAULT_PAUSE_MS }: AnnounceVerb): {
  maxRingMs: number;
  pauseMs: number;
} {
  if (!(maxRingMs >= 1)) throw invalid({ field: "max_ring_seconds", message: "must be more than 0" });
  if (!(pauseMs >= 0 && pauseMs <= MAX_PAUSE_MS)) {
    throw invalid({ field: "pause_ms", message: `must be from 0 to ${MAX_PAUSE_MS} ms` });
  }
  return { maxRingMs: Math.round(maxRingMs), pauseMs };
}

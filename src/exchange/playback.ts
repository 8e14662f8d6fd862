/** A playback as clients ask for it and see it. */
import type { BargedBy, PlaybackEndReason } from "../line/state";

/** queue: behind what plays; replace: in the place of all that plays and waits; mix: over it. */
export type PlaybackMode = "queue" | "replace" | "mix";
/** What the caller may end it with. */
export type BargeIn = "none" | "dtmf" | "voice" | "any";
export type PlaybackState = "waiting" | "playing" | "paused" | "finished";

export const MIN_GAIN_DB = -40;
export const MAX_GAIN_DB = 12;
export const MAX_LOOPS = 10_000;

export interface PlayOptions {
  /** "now": 409 when IDLE, waits for the answer when RINGING. "off_hook": waits for the lift as well. */
  when: "now" | "off_hook";
  /** Omitted: queue. */
  mode?: PlaybackMode;
  /** Times; 0: for ever; omitted: once. Other than once only what is wholly in memory: KeptSource.gather. */
  loop?: number;
  /** Omitted: as loud as it is. */
  gainDb?: number;
  /** Omitted: none. */
  bargeIn?: BargeIn;
}

export interface PlaybackEnd {
  reason: PlaybackEndReason;
  heardMs: number;
  /** Where the reason is barged. */
  bargedBy?: BargedBy;
}

export interface Playback {
  playbackId: string;
  /** Of all rounds; null: not known beforehand, or for ever. */
  durationMs: number | null;
  /** As it will be heard; null: not known beforehand. */
  bytes: number | null;
  /** Settles when it has been heard, or ended otherwise. */
  finished: Promise<PlaybackEnd>;
}

export interface PlaybackStatus {
  playbackId: string;
  line: number;
  state: PlaybackState;
  mode: PlaybackMode;
  /** What it waits for, beside its turn. */
  awaits: "answer" | "lift" | null;
  /** How far into the sound it was heard, in this round. */
  positionMs: number;
  /** Counted from 1. */
  round: number;
  /** Once through; null: not known yet. */
  soundMs: number | null;
  durationMs: number | null;
  loop: number;
  gainDb: number;
  bargeIn: BargeIn;
  seekable: boolean;
  heardMs: number;
  /** null until it is finished. */
  reason: PlaybackEndReason | null;
  bargedBy: BargedBy | null;
}

/** Every line's, by their ids. Throws or rejects with Refusal. */
export interface Playbacks {
  /** What plays and waits in its order, then what ended, the newest first. */
  list(line: number): readonly PlaybackStatus[];
  find(playbackId: string): PlaybackStatus;
  /** These settle when it is so, with how things are then. */
  pause(playbackId: string): Promise<PlaybackStatus>;
  resume(playbackId: string): Promise<PlaybackStatus>;
  seek(playbackId: string, positionMs: number): Promise<PlaybackStatus>;
  stop(playbackId: string): Promise<PlaybackStatus>;
  /** Everything that plays or waits on the line. */
  stopAll(line: number): Promise<readonly PlaybackStatus[]>;
}

/** What a line is, what it can be told, and what it then wants done. Types, and the facts that follow from them. */
import type { AnnouncementResult } from "./announcement";
import type { RingPlan } from "./cadence";
import type { LineEventBody } from "./events";
import type { GatherResult } from "./gather";
import { type Messages, NO_MESSAGES } from "./messages";
import type {
  BargedBy,
  CallStats,
  DigitSource,
  KeyDetail,
  KeyRefusalReason,
  LineFault,
  LineStateName,
  PlaybackEndReason,
  ProgressToneName,
  RecordingEndReason,
  RingStopReason,
} from "./state";

export interface RunningRing {
  id: number;
  plan: RingPlan;
  startedAtMs: number;
}

/** What the exchange itself sounds to a lifted telephone: supervision.ts. */
export type LineTone = "dial" | "stutter" | "reorder" | "howler";

/** Of the configuration. null: not wanted. */
export interface LineSettings {
  /** Sounds on lifting, until the first digit or for this long. */
  dialTone: { timeoutMs: number } | null;
  /** Left off-hook with nothing happening for `afterMs`, it is told, and hears these tones for so long; 0: not. */
  offHookTimeout: { afterMs: number; reorderMs: number; howlerMs: number } | null;
}

export const SILENT_LINE: LineSettings = { dialTone: null, offHookTimeout: null };

export type Attachment = "audio" | "stream" | "bridge";

export interface Watch {
  stage: "dial_tone" | "open" | "reorder" | "howler" | "lockout";
  /** The beginning of the stage; of `open`, when something happened last. */
  sinceMs: number;
}

export interface LineState {
  settings: LineSettings;
  /** unknown until the driver has said anything at all. */
  service: "unknown" | "up" | "down";
  fault: LineFault | null;
  lifted: boolean;
  /** The off-hook session under way. */
  session: { startedAtMs: number; answered: boolean } | null;
  /** Accepted by the driver, not yet ended. */
  ring: RunningRing | null;
  /** Asked of the driver, no word yet. */
  pendingRings: readonly { id: number; plan: RingPlan }[];
  nextRingId: number;
  talkspurtStartedAtMs: number | null;
  /** Playbacks that are heard now. */
  playing: number;
  /** What the caller says is recorded now. */
  recording: boolean;
  /** Clients and lines that talk with whoever lifts it. */
  attached: number;
  /** Digits are collected now. */
  gathering: boolean;
  /** While it is lifted and in service. */
  watch: Watch | null;
  digits: readonly string[];
  messages: Messages;
  /** The voltage last told, V; null before the first reading. */
  toldVoltage: number | null;
  stats: CallStats;
  updatedAtMs: number;
}

/** atMs: when it happened, ms of the engine's clock, as every time in a state and in an effect: nobody sets that one. */
export type LineInput = { atMs: number } & (
  | { type: "line_up"; lifted: boolean }
  | { type: "line_down"; fault: LineFault }
  | { type: "off_hook"; trippedRing: boolean }
  | { type: "on_hook" }
  | { type: "flash"; durationMs: number }
  /** A key went down, or a dial began to turn back. */
  | { type: "digit_started" }
  | {
      type: "digit";
      digit: string;
      source: DigitSource;
      durationMs: number;
      /** null: of a dial. */
      levelDbm0: number | null;
      /** How the dial turned; null: of a key, or not measured. */
      pulsesPerSecond?: number | null;
      breakPercent?: number | null;
      /** Of a key, where it was asked for. */
      detail?: KeyDetail | null;
    }
  | { type: "key_refused"; digit: string; reason: KeyRefusalReason; detail: KeyDetail }
  | { type: "voice_started"; levelDbm0: number }
  | { type: "voice_ended"; levelDbm0: number; segmentDbm0: number }
  /** A tone is sure, or over; it began at startMs. */
  | { type: "progress"; tone: ProgressToneName; active: boolean; startMs: number; levelDbm0: number }
  | { type: "voltage"; volts: number }
  | { type: "alarm"; names: readonly string[] }
  | { type: "ring_requested"; plan: RingPlan }
  | { type: "ring_accepted"; ringId: number }
  | { type: "ring_refused"; ringId: number }
  | { type: "ring_ended"; ringId: number; reason: RingStopReason }
  | { type: "stop_ring_requested" }
  /** Whom it spoke with is gone, or was not reached. */
  | { type: "far_end_lost" }
  /** From now on; what is sounding already is heard to its end. */
  | { type: "settings_changed"; settings: LineSettings }
  | { type: "time" }
  /** count 0: none any more. */
  | { type: "messages_waiting"; count: number }
  /** whole: the telephone has heard all of it. */
  | { type: "lamp_told"; whole: boolean }
  /** A client's playback is to begin at once. */
  | { type: "playback_requested" }
  | { type: "playback_started"; playbackId: string; durationMs: number | null }
  | { type: "playback_paused" | "playback_resumed"; playbackId: string; positionMs: number }
  | {
      type: "playback_ended";
      playbackId: string;
      reason: PlaybackEndReason;
      heardMs: number;
      /** Where the reason is barged. */
      bargedBy?: BargedBy;
    }
  /** Somebody talks with it from now on: a client's live audio, a media stream, another line. */
  | { type: "attached"; what: Attachment }
  | { type: "detached"; what: Attachment }
  | { type: "recording_started"; recordingId: string }
  | {
      type: "recording_ended";
      recordingId: string;
      reason: RecordingEndReason;
      durationMs: number;
      bytes: number;
    }
  | { type: "gather_started"; gatherId: string }
  | { type: "gather_ended"; result: GatherResult }
  | { type: "announcement_ended"; result: AnnouncementResult }
);

export type LineEffect =
  | { kind: "emit"; atMs: number; body: LineEventBody }
  | { kind: "ring"; ringId: number; plan: RingPlan }
  | { kind: "stop_ring" }
  /** The telephone was lifted: what waits may play. */
  | { kind: "start_playout" }
  /** Nobody hears it any more. */
  | { kind: "end_playout"; reason: PlaybackEndReason }
  /** The ring ended unanswered: what waited for the answer will not play. */
  | { kind: "cancel_awaiting_answer"; lineLost: boolean }
  /** In the place of the one before. Gives way to what a client plays, and is told by no event. */
  | { kind: "start_tone"; tone: LineTone }
  | { kind: "stop_tone" }
  /** Of an idle telephone; answered by lamp_told. */
  | { kind: "tell_lamp"; messages: number }
  /** Give `time` then, in the place of what was wanted before; null: no more. */
  | { kind: "wake"; atMs: number | null }
  | { kind: "refuse"; code: "line_off_hook" | "line_not_ready"; message: string };

export interface Step {
  state: LineState;
  effects: readonly LineEffect[];
}

export function initialState(atMs: number, settings: LineSettings): LineState {
  return {
    settings,
    service: "unknown",
    fault: null,
    lifted: false,
    session: null,
    ring: null,
    pendingRings: [],
    nextRingId: 1,
    talkspurtStartedAtMs: null,
    playing: 0,
    recording: false,
    attached: 0,
    gathering: false,
    watch: null,
    digits: [],
    messages: NO_MESSAGES,
    toldVoltage: null,
    stats: {
      totalCalls: 0,
      successfulCalls: 0,
      failedCalls: 0,
      totalDurationMs: 0,
      lastCallAtMs: null,
      dtmfDigitsReceived: 0,
    },
    updatedAtMs: atMs,
  };
}

/** The state's name follows from the facts: it is never stored, so it can never contradict them. */
export function stateName(state: LineState): LineStateName {
  if (state.service === "unknown") return "INITIALIZING";
  if (state.service === "down") return "ERROR";
  if (state.lifted) return state.session?.answered || state.attached > 0 ? "IN_CALL" : "OFF_HOOK";
  return state.ring ? "RINGING" : "IDLE";
}

/** `lifted` alone is memory while the line is down. */
export const offHook = (state: LineState): boolean => state.service === "up" && state.lifted;
export const unchanged = (state: LineState): Step => ({ state, effects: [] });
export const emit = (atMs: number, body: LineEventBody): LineEffect => ({ kind: "emit", atMs, body });

/** Why nothing can be asked of a line that is not in service. */
export function notReady(state: LineState): { code: "line_not_ready"; message: string } {
  return {
    code: "line_not_ready",
    message: state.fault
      ? `The line is out of service: ${state.fault.message} ${state.fault.fix}`
      : "The line is still being opened: try again in a second.",
  };
}

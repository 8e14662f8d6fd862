import type { AnnouncementOutcome } from "./announcement";
import type { GatherEndReason, Played } from "./gather";
import type {
  BargedBy,
  BridgeLeaveReason,
  DigitSource,
  KeyDetail,
  KeyRefusalReason,
  LineFault,
  PlaybackEndReason,
  ProgressToneName,
  RecordingEndReason,
  RingStopReason,
  StreamEndReason,
} from "./state";

/**
 * What a line tells the world, before the bus gives it an id and an order. Times are Unix milliseconds
 * (fractions allowed) of when it happened. Field names are those of the JSON, so that one object serves all;
 * events/published.ts adds `timestamp`, `id` and the aliases of the older server.
 */
export type LineEventBody =
  | { type: "off_hook"; answered: boolean }
  | { type: "on_hook" }
  | {
      type: "dtmf";
      digit: string;
      duration: number;
      /** dBm0; absent for a dial's digit. */
      signal_level?: number;
      source: DigitSource;
      /** Of a dial, where it was measured: the break's share of a period in percent. */
      pulses_per_second?: number;
      break_ratio_percent?: number;
      /** Of a key, with dtmf.explain in the configuration. */
      detail?: KeyDetail;
    }
  | { type: "dtmf_rejected"; digit: string; reason: KeyRefusalReason; detail: KeyDetail }
  | {
      type: "voice";
      active: boolean;
      /** Unix ms of the talkspurt's onset; `end` null while it lasts. */
      startMs: number;
      endMs: number | null;
      /** dBm0 now. */
      energyLevel: number;
      /** dBm0, mean over the talkspurt so far. */
      segmentLevel: number;
    }
  | {
      type: "call_progress";
      tone: ProgressToneName;
      active: boolean;
      /** Unix ms; `endMs` null while it lasts. */
      startMs: number;
      endMs: number | null;
      /** dBm0, of all its frequencies together. */
      level: number;
    }
  | { type: "ring_start"; pattern: string; repeat: number; duration: number | null }
  | {
      type: "ring_stop";
      pattern: string;
      repeat: number;
      duration: number | null;
      reason: RingStopReason;
    }
  | { type: "flash"; duration: number }
  | { type: "voltage_change"; voltage: number }
  | { type: "playback_started"; playback_id: string; duration_ms: number | null }
  | { type: "playback_paused" | "playback_resumed"; playback_id: string; position_ms: number }
  | {
      type: "playback_finished";
      playback_id: string;
      reason: PlaybackEndReason;
      heard_ms: number;
      /** Where the reason is barged. */
      barged_by?: BargedBy;
    }
  | { type: "recording_started"; recording_id: string }
  | {
      type: "recording_finished";
      recording_id: string;
      reason: RecordingEndReason;
      duration_ms: number;
      bytes: number;
    }
  | { type: "stream_started"; stream_id: string; dialect: string }
  | {
      type: "stream_stopped";
      stream_id: string;
      reason: StreamEndReason;
      /** More about it, for people; null: the reason says it all. */
      detail: string | null;
      duration_ms: number;
    }
  | { type: "bridge_joined"; bridge_id: string }
  | { type: "bridge_left"; bridge_id: string; reason: BridgeLeaveReason }
  | {
      type: "gather_finished";
      gather_id: string;
      digits: string;
      reason: GatherEndReason;
      finish_key: string | null;
      /** Of the prompt. */
      heard_ms: number;
      played: Played;
      duration_ms: number;
    }
  | {
      type: "announce_finished";
      announce_id: string;
      outcome: AnnouncementOutcome;
      answered_after_ms: number | null;
      heard_ms: number;
      played: Played;
      digits?: string;
      gather_reason?: GatherEndReason;
      finish_key?: string | null;
    }
  /** Left off-hook with nothing happening; reorder tone, then the howler follow. */
  | { type: "off_hook_timeout"; idle_ms: number }
  | { type: "hardware_status"; status: string; details: Record<string, unknown> }
  | { type: "error"; error: LineFault };

export type LineEventType = LineEventBody["type"];

export const LINE_EVENT_TYPES = [
  "off_hook",
  "on_hook",
  "dtmf",
  "dtmf_rejected",
  "voice",
  "call_progress",
  "ring_start",
  "ring_stop",
  "flash",
  "voltage_change",
  "playback_started",
  "playback_paused",
  "playback_resumed",
  "playback_finished",
  "recording_started",
  "recording_finished",
  "stream_started",
  "stream_stopped",
  "bridge_joined",
  "bridge_left",
  "gather_finished",
  "announce_finished",
  "off_hook_timeout",
  "hardware_status",
  "error",
] as const satisfies readonly LineEventType[];

/** For people who look for a fault: told only to who names them. */
export const OPT_IN_EVENT_TYPES: readonly LineEventType[] = ["dtmf_rejected"];

/** An event in its place: `id` is what clients see as the opaque cursor. */
export interface LineEvent {
  id: number;
  line: number;
  /** When it happened, Unix ms; never before the line's previous event. */
  atMs: number;
  /** The native stamp (engine clock, ns) it came from, for latency measurement; 0 when JavaScript made it. */
  nativeNs: number;
  body: LineEventBody;
}

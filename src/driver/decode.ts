/** Fixed-size native events, translated into words at this one edge. */

import type { KeyDetail, KeyRefusalReason, ProgressToneName, RingStopReason } from "../line/state";
import { DtmfReason, EventField, EventKind, EventSize, PlayEnd, Progress, RingEnd } from "./abi.gen";
import { alarmNames } from "./faults";

export type DriverEvent = {
  /** The line's index in the engine; −1 the engine itself. */
  index: number;
  /** When it happened, and when the I/O thread told it: engine clock, ns. */
  atNs: number;
  toldNs: number;
} & (
  | { kind: "line_up"; lifted: boolean }
  | { kind: "line_down"; errno: number; stage: number }
  | { kind: "off_hook"; trippedRing: boolean }
  | { kind: "on_hook" }
  | { kind: "flash"; durationMs: number }
  | { kind: "pulse_start" }
  | {
      kind: "pulse_digit";
      digit: string;
      durationMs: number;
      /** null: not measured. */
      pulsesPerSecond: number | null;
      /** The break's share of a period, percent; null: not measured. */
      breakPercent: number | null;
    }
  | { kind: "dtmf_down"; digit: string; levelDbm0: number }
  | { kind: "dtmf_up"; digit: string; levelDbm0: number; durationMs: number }
  /** Follows its dtmf_down, when the engine was told to explain. */
  | { kind: "dtmf_detail"; digit: string; detail: KeyDetail }
  | { kind: "dtmf_refused"; digit: string; reason: KeyRefusalReason; detail: KeyDetail }
  | { kind: "voice_start"; levelDbm0: number }
  | { kind: "voice_end"; levelDbm0: number; segmentDbm0: number }
  | { kind: "ring_burst"; burst: number; on: boolean }
  /** errno: what refused to ring, or ETIMEDOUT: the watchdog ended it; 0: nothing went wrong. */
  | { kind: "ring_done"; reason: RingStopReason; errno: number; sequence: number }
  | {
      kind: "progress";
      tone: ProgressToneName;
      active: boolean;
      levelDbm0: number;
      /** Since the tone began. */
      durationMs: number;
    }
  | { kind: "play_started"; lane: number; mark: number }
  | {
      kind: "play_done";
      lane: number;
      mark: number;
      end: PlayoutEnd;
      heardSamples: number;
      /** That barged in; null: none, or a dial's, whose number is not known yet. */
      digit: string | null;
    }
  | { kind: "play_low"; lane: number }
  | { kind: "mic_low" }
  | { kind: "voltage"; volts: number }
  | { kind: "alarm"; names: string[] }
  | { kind: "command_done"; sequence: number; result: number }
  /** delayMs: until what waits in the card has been sent. */
  | { kind: "data_started"; sequence: number; delayMs: number }
  | { kind: "data_done"; sequence: number; whole: boolean }
  /** blocks: made so far, lost ones too. */
  | { kind: "tap_blocks"; tap: number; blocks: number }
);

const REFUSAL_REASONS: Record<number, KeyRefusalReason> = Object.fromEntries(
  Object.entries(DtmfReason).map(([name, number]) => [number, name as KeyRefusalReason]),
);

/** The low and the high half of a word, signed. */
const low = (word: number): number => (word << 16) >> 16;
const high = (word: number): number => word >> 16;

const keyDetail = (levels: number, offsets: number, snr: number): KeyDetail => ({
  level_low_dbm0: low(levels) / 100,
  level_high_dbm0: high(levels) / 100,
  twist_db: (high(levels) - low(levels)) / 100,
  offset_low_hz: low(offsets) / 100,
  offset_high_hz: high(offsets) / 100,
  snr_db: low(snr) / 100,
});

/** flushed: on our command; lost: with its line; hung_up: heard until the loop opened; barged_…: cut off by a key or
 * a voice, and its lane is silent until it is flushed. */
export type PlayoutEnd = "completed" | "flushed" | "lost" | "hung_up" | "barged_dtmf" | "barged_voice";

const PLAY_ENDS: Record<number, PlayoutEnd> = {
  [PlayEnd.Completed]: "completed",
  [PlayEnd.Flushed]: "flushed",
  [PlayEnd.Lost]: "lost",
  [PlayEnd.HungUp]: "hung_up",
  [PlayEnd.BargedDtmf]: "barged_dtmf",
  [PlayEnd.BargedVoice]: "barged_voice",
};

const PROGRESS_NAMES: Record<number, ProgressToneName> = {
  [Progress.Dial]: "dial",
  [Progress.Busy]: "busy",
  [Progress.Reorder]: "reorder",
  [Progress.Ringback]: "ringback",
  [Progress.FaxCed]: "fax_ced",
  [Progress.FaxCng]: "fax_cng",
};

const RING_END_REASONS: Record<number, RingStopReason> = {
  [RingEnd.Completed]: "completed",
  [RingEnd.Duration]: "duration",
  [RingEnd.Stopped]: "stopped",
  [RingEnd.Answered]: "answered",
  [RingEnd.Error]: "error",
};

/** An i64 that fits a double (2^53 ns are 104 days), without the detour through a BigInt. */
const nanoseconds = (view: DataView, at: number): number =>
  view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);

/** The event numbered `index` of a drained buffer; null for a kind that this version does not know. */
export function decodeEvent(view: DataView, index: number): DriverEvent | null {
  const at = index * EventSize;
  const int = (offset: number): number => view.getInt32(at + offset, true);
  const common = {
    index: int(EventField.line.offset),
    atNs: nanoseconds(view, at + EventField.time_ns.offset),
    toldNs: nanoseconds(view, at + EventField.told_ns.offset),
  };
  const a = int(EventField.a.offset);
  const b = int(EventField.b.offset);
  const c = int(EventField.c.offset);
  const d = int(EventField.d.offset);
  switch (view.getUint32(at + EventField.kind.offset, true)) {
    case EventKind.LineUp:
      return { ...common, kind: "line_up", lifted: a === 1 };
    case EventKind.LineDown:
      return { ...common, kind: "line_down", errno: a, stage: b };
    case EventKind.OffHook:
      return { ...common, kind: "off_hook", trippedRing: a === 1 };
    case EventKind.OnHook:
      return { ...common, kind: "on_hook" };
    case EventKind.Flash:
      return { ...common, kind: "flash", durationMs: a };
    case EventKind.PulseStart:
      return { ...common, kind: "pulse_start" };
    case EventKind.PulseDigit:
      return {
        ...common,
        kind: "pulse_digit",
        digit: String.fromCharCode(a),
        durationMs: b,
        pulsesPerSecond: c === 0 ? null : c / 100,
        breakPercent: d === 0 ? null : d / 100,
      };
    case EventKind.DtmfDown:
      return { ...common, kind: "dtmf_down", digit: String.fromCharCode(a), levelDbm0: b / 100 };
    case EventKind.DtmfUp:
      return {
        ...common,
        kind: "dtmf_up",
        digit: String.fromCharCode(a),
        levelDbm0: b / 100,
        durationMs: c,
      };
    case EventKind.DtmfDetail:
      return { ...common, kind: "dtmf_detail", digit: String.fromCharCode(a), detail: keyDetail(b, c, d) };
    case EventKind.DtmfRefused: {
      const reason = REFUSAL_REASONS[a >> 8];
      if (!reason) return null;
      return {
        ...common,
        kind: "dtmf_refused",
        digit: String.fromCharCode(a & 0xff),
        reason,
        detail: keyDetail(b, c, d),
      };
    }
    case EventKind.VoiceStart:
      return { ...common, kind: "voice_start", levelDbm0: a / 100 };
    case EventKind.VoiceEnd:
      return { ...common, kind: "voice_end", levelDbm0: a / 100, segmentDbm0: b / 100 };
    case EventKind.RingBurst:
      return { ...common, kind: "ring_burst", burst: a, on: b === 1 };
    case EventKind.RingDone:
      return { ...common, kind: "ring_done", reason: RING_END_REASONS[a] ?? "error", errno: b, sequence: c };
    case EventKind.Progress: {
      const tone = PROGRESS_NAMES[a];
      if (!tone) return null;
      return { ...common, kind: "progress", tone, active: b === 1, levelDbm0: c / 100, durationMs: d };
    }
    case EventKind.PlayStarted:
      return { ...common, kind: "play_started", lane: d, mark: a };
    case EventKind.PlayDone: {
      const digit = d >> 8 === 0 ? null : String.fromCharCode(d >> 8);
      const end = PLAY_ENDS[b] ?? "lost";
      return { ...common, kind: "play_done", lane: d & 0xff, mark: a, end, heardSamples: c, digit };
    }
    case EventKind.PlayLow:
      return { ...common, kind: "play_low", lane: d };
    case EventKind.MicLow:
      return { ...common, kind: "mic_low" };
    case EventKind.Voltage:
      return { ...common, kind: "voltage", volts: Math.abs(a - b) / 1000 };
    case EventKind.Alarm:
      return { ...common, kind: "alarm", names: alarmNames(a) };
    case EventKind.CommandDone:
      return { ...common, kind: "command_done", sequence: a, result: b };
    case EventKind.DataStarted:
      return { ...common, kind: "data_started", sequence: a, delayMs: b };
    case EventKind.TapBlocks:
      return { ...common, kind: "tap_blocks", tap: a, blocks: b };
    case EventKind.DataDone:
      return { ...common, kind: "data_done", sequence: a, whole: b === 1 };
    default:
      return null;
  }
}

/** The states of `GET /status`: upper case in JSON. */
export type LineStateName = "INITIALIZING" | "IDLE" | "RINGING" | "OFF_HOOK" | "IN_CALL" | "ERROR";

export type DigitSource = "dtmf" | "pulse";

/** What was measured of a key's two tones, in the words of the JSON. twist: high group over low group. */
export interface KeyDetail {
  level_low_dbm0: number;
  level_high_dbm0: number;
  twist_db: number;
  offset_low_hz: number;
  offset_high_hz: number;
  snr_db: number;
}

/** What something that resembled a key deviated most in: native/dsp_dtmf.h. */
export type KeyRefusalReason =
  | "too_short"
  | "too_quiet"
  | "off_frequency"
  | "unsteady"
  | "not_abrupt"
  | "twist"
  | "not_alone"
  | "low_sound"
  | "noisy";
/** Heard on a line: of a far exchange, and of fax machines (CED 2100 Hz answers, CNG 1100 Hz calls). */
export type ProgressToneName = "dial" | "busy" | "reorder" | "ringback" | "fax_ced" | "fax_cng";
export type RingStopReason = "completed" | "duration" | "stopped" | "answered" | "error";
export type RecordingEndReason =
  | "stopped"
  | "max_duration"
  | "silence"
  | "finish_key"
  | "hung_up"
  | "disk_full"
  | "error";
/** completed: by a client; bot_closed: the bot hung up; unanswered: it waited for a lift that did not come. */
export type StreamEndReason =
  | "completed"
  | "bot_closed"
  | "hung_up"
  | "unanswered"
  | "connect_failed"
  | "bot_unresponsive"
  | "line_down"
  | "error";
export type PlaybackEndReason =
  | "completed"
  | "stopped"
  | "replaced"
  | "barged"
  | "hung_up"
  | "cancelled"
  | "error";
export type BargedBy = "dtmf" | "voice";
export type BridgeLeaveReason = "hung_up" | "line_down" | "no_answer" | "removed" | "deleted" | "alone";

/** Why a line is out of service: the driver's words, translated (see driver/decode.ts). */
export interface LineFault {
  /** Stable, e.g. `driver_missing`, `channel_busy`, `wrong_signalling`, `card_removed`. */
  code: string;
  /** One sentence: what is wrong. */
  message: string;
  /** What the owner types or does to mend it. */
  fix: string;
}

/** Since the start of the process. A call is an off-hook session, or a ring that nobody answered. */
export interface CallStats {
  totalCalls: number;
  /** Ended by hanging up. */
  successfulCalls: number;
  /** Rung out, or lost with the card. */
  failedCalls: number;
  /** Sum over successful calls, for the average. */
  totalDurationMs: number;
  lastCallAtMs: number | null;
  dtmfDigitsReceived: number;
}

/** The same events with what the examples do not show, so that the schemas take all that is sent. */

import type { LineEventBody } from "../../line/events";
import type { KeyDetail } from "../../line/state";

const DETAIL: KeyDetail = {
  level_low_dbm0: -9.8,
  level_high_dbm0: -8.1,
  twist_db: 1.7,
  offset_low_hz: 24.4,
  offset_high_hz: 2.1,
  snr_db: 31.2,
};
const RING = { pattern: "NORMAL", repeat: 1, duration: 2000 } as const;

export const EVENT_VARIANTS: readonly LineEventBody[] = [
  { type: "dtmf", digit: "5", duration: 100, signal_level: -10.2, source: "dtmf", detail: DETAIL },
  { type: "voice", active: false, startMs: 0, endMs: 1, energyLevel: -60, segmentLevel: -21.4 },
  { type: "call_progress", tone: "busy", active: false, startMs: 0, endMs: 1, level: -18.3 },
  { type: "ring_start", ...RING },
  { type: "ring_stop", ...RING, reason: "duration" },
  { type: "playback_started", playback_id: "01k…", duration_ms: null },
  { type: "playback_finished", playback_id: "01k…", reason: "barged", heard_ms: 20, barged_by: "dtmf" },
  { type: "stream_stopped", stream_id: "01k…", reason: "hung_up", detail: null, duration_ms: 20 },
  {
    type: "gather_finished",
    gather_id: "01k…",
    digits: "",
    reason: "timeout",
    finish_key: null,
    heard_ms: 0,
    played: "none",
    duration_ms: 5000,
  },
  {
    type: "announce_finished",
    announce_id: "01k…",
    outcome: "not_answered",
    answered_after_ms: null,
    heard_ms: 0,
    played: "none",
  },
  {
    type: "announce_finished",
    announce_id: "01k…",
    outcome: "completed",
    answered_after_ms: 6100,
    heard_ms: 4200,
    played: "whole",
    digits: "1",
    gather_reason: "finish_key",
    finish_key: "#",
  },
];

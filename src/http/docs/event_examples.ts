/** Every event as it reads on the wire, with what it means: shown in the documentation, and docs/events.md. */
import { PublishedEvent } from "../../events/published";
import type { LineEventBody } from "../../line/events";
import { EVENT_VARIANTS } from "./event_variants";

const AT_MS = Date.UTC(2026, 0, 29, 12, 0, 0, 250);
const FIRST_ID = 1_769_688_000_000_001;
const EVENTS: readonly (readonly [LineEventBody, string])[] = [
  [{ type: "off_hook", answered: false }, "Lifted. answered: it ended our ringing."],
  [{ type: "on_hook" }, "Hung up; dated when the loop opened."],
  [
    { type: "dtmf", digit: "5", duration: 100, signal_level: -10.2, source: "dtmf" },
    "A key, when it is released. signal_level in dBm0.",
  ],
  [
    {
      type: "dtmf_rejected",
      digit: "2",
      reason: "off_frequency",
      detail: {
        level_low_dbm0: -9.8,
        level_high_dbm0: -8.1,
        twist_db: 1.7,
        offset_low_hz: 24.4,
        offset_high_hz: 2.1,
        snr_db: 31.2,
      },
    },
    "Resembled a key and was none: only with dtmf.explain in the configuration, and only for who names the type. A key then has the same `detail`. reason: too_short, too_quiet, off_frequency, unsteady, not_abrupt, twist, not_alone, low_sound or noisy.",
  ],
  [
    {
      type: "dtmf",
      digit: "3",
      duration: 258,
      source: "pulse",
      pulses_per_second: 10.1,
      break_ratio_percent: 61.2,
    },
    "The same of a rotary dial, with how it turned where that was measured: from two pulses on, good to 5 %. " +
      "Most countries' dials were made for 10 a second with a break of 60 to 67 %.",
  ],
  [
    { type: "voice", active: true, startMs: AT_MS, endMs: null, energyLevel: -21.4, segmentLevel: -21.4 },
    "At the start and at the end of every talkspurt; energy_level is below −50 dBm0 at the end.",
  ],
  [
    { type: "call_progress", tone: "fax_cng", active: true, startMs: AT_MS - 1500, endMs: null, level: -18.3 },
    "A far end's tone, when it is sure and when it is over: dial, busy, reorder or ringback as tone_zone has them, fax_ced " +
      "(2100 Hz, a fax machine or modem answers) or fax_cng (1100 Hz, a fax machine calls). start_time is when the tone " +
      "began; end_time and duration (ms) are null until it is over. signal_level in dBm0.",
  ],
  [{ type: "ring_start", pattern: "NORMAL", repeat: 1, duration: null }, "The bell began."],
  [
    { type: "ring_stop", pattern: "NORMAL", repeat: 1, duration: null, reason: "completed" },
    "reason: completed, duration, stopped, answered or error.",
  ],
  [{ type: "flash", duration: 310 }, "Hook flash, ms."],
  [{ type: "voltage_change", voltage: 8.1 }, "A change of 1 V or more."],
  [{ type: "playback_started", playback_id: "01k…", duration_ms: 2000 }, "Its first sample is heard."],
  [{ type: "playback_paused", playback_id: "01k…", position_ms: 740 }, "It stands still."],
  [{ type: "playback_resumed", playback_id: "01k…", position_ms: 740 }, "It goes on."],
  [
    { type: "playback_finished", playback_id: "01k…", reason: "completed", heard_ms: 2000 },
    "reason: completed, stopped, replaced, barged (then `barged_by` is dtmf or voice), hung_up, cancelled or error. " +
      "heard_ms is exact, rounds and what was heard before and after a seek together. Not told of what nobody heard.",
  ],
  [
    { type: "recording_started", recording_id: "01k…" },
    "From here on it is kept: after the beep, if there is one.",
  ],
  [
    { type: "recording_finished", recording_id: "01k…", reason: "hung_up", duration_ms: 5240, bytes: 83_884 },
    "Its file is closed and can be fetched. reason: stopped, max_duration, silence, finish_key, hung_up, disk_full or error. " +
      "Also told, with no bytes and no file, of one that never began or of which nothing was heard.",
  ],
  [
    { type: "stream_started", stream_id: "01k…", dialect: "twilio" },
    "The voice bot is connected: it hears the telephone and is heard.",
  ],
  [
    {
      type: "stream_stopped",
      stream_id: "01k…",
      reason: "connect_failed",
      detail: "cannot be reached (ECONNREFUSED)",
      duration_ms: 0,
    },
    "Once for each POST /stream and each lift of a hotline. reason: completed (a client stopped it), bot_closed, hung_up, " +
      "unanswered (it waited for an answer), connect_failed, bot_unresponsive (it does not read, or answer a ping), " +
      "line_down, or error (it sent what is not of its dialect). detail says more where there is more, for people.",
  ],
  [
    { type: "bridge_joined", bridge_id: "01k…" },
    "From here on it hears the other lines on the bridge, and they hear it.",
  ],
  [
    { type: "bridge_left", bridge_id: "01k…", reason: "hung_up" },
    "reason: hung_up, line_down, no_answer (it never joined), removed, deleted, or alone: all others have left.",
  ],
  [
    {
      type: "gather_finished",
      gather_id: "01k…",
      digits: "1234",
      reason: "finish_key",
      finish_key: "#",
      heard_ms: 1300,
      played: "part",
      duration_ms: 4200,
    },
    "Of POST /gather, whether it was waited for or not. reason: complete, finish_key, no_match, timeout, hung_up, stopped, " +
      "cancelled (the ring that it waited for was not answered) or error. heard_ms and played (whole, part, none) of the prompt.",
  ],
  [
    {
      type: "announce_finished",
      announce_id: "01k…",
      outcome: "completed",
      answered_after_ms: 6100,
      heard_ms: 4200,
      played: "whole",
      digits: "1",
      gather_reason: "complete",
      finish_key: null,
    },
    "Of POST /announce. outcome: completed, not_answered, hung_up, busy, stopped or error; the last three fields only " +
      "where digits were asked for.",
  ],
  [
    { type: "off_hook_timeout", idle_ms: 30_000 },
    "Left off-hook with nothing happening (off_hook_timeout.seconds); the reorder tone and the howler follow.",
  ],
  [
    { type: "hardware_status", status: "ready", details: {} },
    "status: ready, alarm, ok; the program stood still: watchdog (bells were stopped), events_lost.",
  ],
  [
    {
      type: "error",
      error: { code: "card_removed", message: "The card of channel 1 was taken away.", fix: "Put it back." },
    },
    "The line is out of service; hardware_status ready tells the end of it.",
  ],
];

export interface EventExample {
  type: LineEventBody["type"];
  meaning: string;
  wire: Record<string, unknown>;
}

const asSent = (body: LineEventBody, i: number): Record<string, unknown> =>
  new PublishedEvent(FIRST_ID + i, 1, AT_MS, 0, body).wire("z");

export const EVENT_EXAMPLES: readonly EventExample[] = EVENTS.map(([body, meaning], i) => ({
  type: body.type,
  meaning,
  wire: asSent(body, i),
}));

/** Everything that a schema of the type has to take. */
export const wiresOf = (type: LineEventBody["type"]): Record<string, unknown>[] => [
  ...EVENT_EXAMPLES.filter((example) => example.type === type).map(({ wire }) => wire),
  ...EVENT_VARIANTS.filter((body) => body.type === type).map(asSent),
];

/** Also docs/events.md: a test compares. */
export function eventsText(): string {
  const rows = EVENT_EXAMPLES.map(
    ({ type, meaning, wire }) => `**${type}** ${meaning}\n\`\`\`json\n${JSON.stringify(wire)}\n\`\`\`\n`,
  );
  return [
    "Connect to `ws://127.0.0.1:8001/ws` (or `/ws` on this port). Every text frame is one JSON object. A plain connection",
    "sends nothing of its own. Frames from a client are ignored. Besides events there are `caught_up` and",
    "`resync_required` after `?since=`, `snapshot` with `?snapshot=1`, and `gap` (`from`, `to`, ids, both included) where",
    "events are lost: after a crash of the server or the power, when up to 0.1 s or 1 s of them may be; or to a client",
    "that read so slowly that the log no longer reaches back. `since` reaches back over restarts, and `since=0` is the",
    "beginning of the log. `GET /events/stream` has the same frames as Server-Sent Events, `GET /events` has pages, and",
    "webhooks are sent them.\n",
    ...rows,
  ].join("\n");
}

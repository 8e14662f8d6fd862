/** What the API takes and gives, as JSON Schema: checked at run time and shown in the documentation. */
import { Type } from "@sinclair/typebox";
import { TONE_NAMES, TONE_ZONES } from "../audio/tone_zones";
import { RING_PATTERN_NAMES } from "../line/cadence";
import { LINE_EVENT_TYPES } from "../line/events";
import { QueryToken } from "./schema_tokens";

export const closed = { additionalProperties: false } as const;

const CallerIdInput = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        maxLength: 50,
        description: "Shown without accents, its first 15 letters",
        examples: ["Zoë"],
      }),
    ),
    number: Type.Optional(
      Type.String({
        maxLength: 32,
        description: "Up to 20 digits; spaces, brackets and a leading + are left out",
        examples: ["+1 202 555 0100"],
      }),
    ),
    absent: Type.Optional(
      Type.Union([Type.Literal("private"), Type.Literal("out_of_area")], {
        description: "Why there is no number; omitted: out_of_area",
      }),
    ),
    time: Type.Optional(
      Type.String({
        description: "The display sets its clock by it: YYYY-MM-DDTHH:MM; omitted: this machine's local time",
        examples: ["2026-01-29T12:00"],
      }),
    ),
  },
  {
    ...closed,
    description:
      "Who calls, for the telephone's display, as caller_id.scheme of the configuration says: in the first silence " +
      "between two bursts that is long enough (of a pattern rung once, after it), or before the ringing, which then " +
      "begins up to 4 s later.",
  },
);

export const RingInput = Type.Object(
  {
    pattern: Type.Optional(
      Type.String({
        description: `Any case: ${RING_PATTERN_NAMES.join(", ")}. Omitted: NORMAL, or CUSTOM where custom_pattern is given.`,
        examples: ["NORMAL"],
      }),
    ),
    duration: Type.Optional(
      Type.Integer({ description: "Wall-clock cap, ms. Without repeat: ring until then.", examples: [2000] }),
    ),
    repeat: Type.Optional(
      Type.Integer({
        description: "Times the whole pattern; 0: until the cap. Omitted: the pattern's own.",
        examples: [1],
      }),
    ),
    custom_pattern: Type.Optional(
      Type.Object(
        {
          on_times: Type.Array(Type.Number(), { description: "ms, 1 to 32 of them", examples: [[400, 400]] }),
          off_times: Type.Array(Type.Number(), {
            description: "ms, as many; the last may be 0",
            examples: [[200, 2000]],
          }),
        },
        closed,
      ),
    ),
    caller_id: Type.Optional(CallerIdInput),
  },
  closed,
);

export const CallWaitingInput = Type.Object({ caller_id: Type.Optional(CallerIdInput) }, closed);

export const MessageWaitingInput = Type.Object(
  {
    waiting: Type.Boolean({ description: "false: none any more", examples: [true] }),
    count: Type.Optional(
      Type.Integer({ description: "How many, 1 to 999; omitted: 1. 0 where none waits.", examples: [2] }),
    ),
  },
  closed,
);

export const when = Type.Optional(
  Type.Union([Type.Literal("now"), Type.Literal("off_hook")], {
    description: "off_hook: on an idle line, wait for the lift",
  }),
);

export const ToneInput = Type.Object(
  {
    frequency: Type.Optional(Type.Number({ description: "Hz, more than 0 and less than 4000", examples: [440] })),
    frequencies: Type.Optional(
      Type.Array(Type.Number(), { description: "Up to four, sounded together", examples: [[350, 440]] }),
    ),
    tone: Type.Optional(
      Type.String({ description: `A named tone: ${TONE_NAMES.join(", ")}`, examples: ["dial"] }),
    ),
    zone: Type.Optional(
      Type.String({
        description: `The country whose named tone it is, omitted: tone_zone of the configuration. ${TONE_ZONES.join(", ")}`,
        examples: ["de"],
      }),
    ),
    duration: Type.Optional(
      Type.Number({ description: "ms; omitted: 1000, of a named tone 5000", examples: [1000] }),
    ),
    when,
  },
  closed,
);

// ---- answers -----------------------------------------------------------------------------------

/** Swagger UI shows the example: most of the time there is none of it. */
export const nullableNumber = (description: string, example: number | null = null) =>
  Type.Union([Type.Number(), Type.Null()], { description, examples: [example] });
export const nullableText = (description: string, example: string | null = null) =>
  Type.Union([Type.String(), Type.Null()], { description, examples: [example] });

export const ProblemAnswer = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: "One sentence that says what to do" }),
  code: Type.String({ description: "Stable: compare this" }),
  errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
});

export const StatusAnswer = Type.Object({
  line: Type.Integer({ examples: [1] }),
  state: Type.String({
    description: "INITIALIZING, IDLE, RINGING, OFF_HOOK, IN_CALL or ERROR",
    examples: ["IDLE"],
  }),
  line_voltage: nullableNumber("V between tip and ring; null where the card cannot tell", 48),
  last_dtmf: nullableText("The newest digit", "5"),
  dtmf_history: Type.Array(Type.String({ examples: ["5"] }), { description: "The newest 32, oldest first" }),
  is_voice_active: Type.Boolean(),
  message_waiting: Type.Boolean({ description: "POST /message-waiting said so last" }),
  audio_format: Type.Object({
    sample_rate: Type.Integer({ examples: [8000] }),
    channels: Type.Integer({ examples: [1] }),
    bit_depth: Type.Integer({ examples: [16] }),
  }),
  call_stats: Type.Object({
    total_calls: Type.Integer({ description: "Lifts, and rings that nobody answered" }),
    successful_calls: Type.Integer({ description: "Ended by hanging up" }),
    failed_calls: Type.Integer({ description: "Rung and not answered, or lost with the card" }),
    average_duration: Type.Number({ description: "s, of the successful ones" }),
    last_call_timestamp: nullableText("When the last one began"),
    dtmf_digits_received: Type.Integer(),
  }),
  error_message: nullableText("What is wrong with the line"),
  last_update: Type.String({ examples: ["2026-01-29T12:00:00.000Z"] }),
});

export const VoltageAnswer = Type.Object({
  voltage: nullableNumber("V; null: this card cannot tell", 48),
  status: Type.String({ description: "normal, low, high or unsupported", examples: ["normal"] }),
  timestamp: Type.String({ description: "When it was measured", examples: ["2026-01-29T12:00:00.000Z"] }),
  min_voltage: nullableNumber("The lowest since the line came up", 8.1),
  max_voltage: nullableNumber("The highest since then", 48),
});

export const success = Type.Literal("success");
export const SuccessAnswer = Type.Object({ status: success });
export const RingAnswer = Type.Object({
  status: success,
  pattern: Type.String({ examples: ["NORMAL"] }),
  repeat: Type.Integer({ description: "0: until the cap", examples: [0] }),
  duration: nullableNumber("The cap that was asked for, ms", 2000),
  caller_id: Type.Optional(
    nullableText(
      "Where it was given, how the caller is told: bell202, v23, dtmf_a_c …; null: not at all",
      "bell202",
    ),
  ),
});
export const CallWaitingAnswer = Type.Object({
  status: success,
  acknowledged: Type.Union([Type.Boolean(), Type.Null()], {
    description: "Did the telephone answer the alert? null: it was not asked, there being nothing to show",
  }),
  caller_id_sent: Type.Boolean({
    description: "false without an acknowledgement: somebody would hear it as noise",
  }),
});
export const MessageWaitingAnswer = Type.Object({
  status: success,
  waiting: Type.Boolean(),
  count: Type.Integer({ examples: [2] }),
  stutter_dial_tone: Type.Boolean({ description: "The next lift hears it; false where dial_tone is off" }),
  lamp: Type.Array(Type.String({ examples: ["fsk"] }), {
    description: "How the telephone's lamp is told once the line is idle: fsk, card; empty: not at all",
  }),
});
export const StopRingAnswer = Type.Object({ status: success, was_ringing: Type.Boolean() });
export const PlayAnswer = Type.Object({
  status: success,
  bytes_written: nullableNumber(
    "Of the sound as the telephone will hear it: two a sample; null: not known beforehand",
    16_000,
  ),
  playback_id: Type.String({ examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"] }),
  duration_ms: nullableNumber("null: not known beforehand", 1000),
  reason: Type.Optional(Type.String({ description: "With wait: as of playback_finished", examples: ["barged"] })),
  heard_ms: Type.Optional(Type.Number({ description: "With wait: how much was heard", examples: [640] })),
  barged_by: Type.Optional(
    Type.String({ description: "With wait, where the reason is barged: dtmf or voice", examples: ["dtmf"] }),
  ),
});
export const ResumeInput = Type.Object(
  { webhook: Type.Optional(Type.Integer({ minimum: 1, description: "Of GET /webhooks; omitted: all" })) },
  closed,
);

export const WebhookAnswer = Type.Object({
  webhook: Type.Integer({ description: "Counted from 1, as configured" }),
  url: Type.String({ description: "Without its query" }),
  state: Type.String({ description: "delivering, retrying or parked" }),
  delivered: Type.Integer({ description: "Since the start" }),
  failed_attempts: Type.Integer({ description: "Of the event that it has not taken" }),
  failing_since: nullableText("When it last stopped taking events"),
  next_attempt: nullableText("While retrying"),
  last_delivery: nullableText("When it last took one"),
  last_error: nullableText("Why the last failed attempt failed"),
  position: Type.String({ description: "The last id that it took, or did not want" }),
});

export const SocketQuery = Type.Object(
  {
    types: Type.Optional(
      Type.String({ description: `Only these, comma-separated: ${LINE_EVENT_TYPES.join(", ")}` }),
    ),
    line: Type.Optional(Type.Integer({ minimum: 1, description: "Of this line only" })),
    since: Type.Optional(Type.String({ description: "Replay what came after this id, then {type: caught_up}" })),
    snapshot: Type.Optional(
      Type.Boolean({ description: "Begin with one frame that tells the state of all lines" }),
    ),
    stamp: Type.Optional(
      Type.Boolean({
        description: "Adds stamp_ns, CLOCK_MONOTONIC when the I/O thread told it: for measuring latency",
      }),
    ),
    ts: Type.Optional(Type.Literal("offset", { description: "Timestamps end in +00:00 instead of Z" })),
    token: QueryToken,
  },
  closed,
);

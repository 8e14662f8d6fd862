/** Digits and announcements as clients ask for them and are told of them. */
import { Type } from "@sinclair/typebox";
import { DEFAULT_MAX_RING_MS, DEFAULT_PAUSE_MS, MAX_PAUSE_MS } from "../exchange/announcement";
import {
  DEFAULT_INTER_DIGIT_TIMEOUT_MS,
  DEFAULT_TIMEOUT_MS,
  MAX_DIGITS,
  MAX_TIMEOUT_MS,
  MIN_TIMEOUT_MS,
} from "../exchange/gather";
import { nullableNumber, nullableText, RingInput, success } from "./schema";
import { SoundReferenceInput } from "./schema_sounds";

const closed = { additionalProperties: false } as const;
const MS_PER_S = 1000;
const MAX_REPEAT = 100;

const seconds = (of: string) =>
  Type.Optional(
    Type.Number({
      minimum: MIN_TIMEOUT_MS / MS_PER_S,
      maximum: MAX_TIMEOUT_MS / MS_PER_S,
      description: `The same in seconds, instead of ${of}`,
    }),
  );

const GATHER_OPTIONS = {
  max_digits: Type.Optional(
    Type.Integer({
      description: `It is complete with so many, 1 to ${MAX_DIGITS}; omitted: ${MAX_DIGITS}`,
      examples: [4],
    }),
  ),
  finish_on_key: Type.Optional(
    Type.String({
      description:
        'Keys of which any ends it, and is none of its digits; "": none does; omitted: #, unless the pattern names it',
      examples: ["#"],
    }),
  ),
  timeout_ms: Type.Optional(
    Type.Number({
      description: `For the first digit, from the prompt's end; omitted: ${DEFAULT_TIMEOUT_MS}`,
      examples: [DEFAULT_TIMEOUT_MS],
    }),
  ),
  timeout: seconds("timeout_ms"),
  inter_digit_timeout_ms: Type.Optional(
    Type.Number({
      description: `For each further digit, from the one before; omitted: ${DEFAULT_INTER_DIGIT_TIMEOUT_MS}`,
      examples: [DEFAULT_INTER_DIGIT_TIMEOUT_MS],
    }),
  ),
  inter_digit_timeout: seconds("inter_digit_timeout_ms"),
  pattern: Type.Optional(
    Type.String({
      description:
        "A digit map: which digits are wanted. Alternatives between bars; X any of 0-9, [1-4] any of these, a dot " +
        "after one: any number of times. Complete as soon as no more can follow, no_match as soon as none fits",
      examples: ["1XX|0|9XXXXXXX"],
    }),
  ),
  barge_in: Type.Optional(
    Type.Union([Type.Literal("dtmf"), Type.Literal("none"), Type.Literal("any")], {
      description:
        "What stops the prompt: a key or a dial (omitted: this), or a voice too (any). none: it is heard whole, and " +
        "keys pressed meanwhile do not count",
    }),
  ),
};

const WAIT = Type.Optional(
  Type.Boolean({
    description: "false: answer at once; the event tells the result. Omitted: answer when it is over",
  }),
);

export const GatherOptionsInput = Type.Object(GATHER_OPTIONS, closed);

export const PromptInput = Type.Object({ prompt: SoundReferenceInput });

export const GatherInput = Type.Object(
  {
    // Checked as PromptInput, whose complaints name the member at fault.
    prompt: Type.Optional(
      Type.Any({
        anyOf: [Type.String({ description: "Of GET /prompts" }), SoundReferenceInput],
        description: "Heard first: a prompt's name, or a sound as for POST /play-audio",
        examples: [{ tone: "dial" }],
      }),
    ),
    ...GATHER_OPTIONS,
    when: Type.Optional(
      Type.Union([Type.Literal("now"), Type.Literal("off_hook")], {
        description: "off_hook: on an idle line, wait for the lift",
      }),
    ),
    wait: WAIT,
  },
  closed,
);

export const AnnounceOptionsInput = Type.Object(
  {
    repeat: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_REPEAT, description: "Times that it is heard; omitted: once" }),
    ),
    loudness_dbm0: Type.Optional(
      Type.Number({ minimum: -40, maximum: -6, description: "Level of the speech; omitted: as loud as it is" }),
    ),
    ring_pattern: Type.Optional(
      Type.String({
        description: "As pattern of POST /ring, over and over; omitted: NORMAL",
        examples: ["NORMAL"],
      }),
    ),
    custom_pattern: RingInput.properties.custom_pattern,
    caller_id: RingInput.properties.caller_id,
    max_ring_seconds: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 3600,
        description: `Omitted: ${DEFAULT_MAX_RING_MS / MS_PER_S}; dahdi.max_ring_seconds is the most`,
        examples: [20],
      }),
    ),
    pause_ms: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_PAUSE_MS,
        description: `From the answer to the first word, for the hand to reach the ear; omitted: ${DEFAULT_PAUSE_MS}`,
      }),
    ),
    when_lifted: Type.Optional(
      Type.Union([Type.Literal("play"), Type.Literal("busy")], {
        description: "A telephone that is lifted already hears it at once (omitted: this), or is left alone",
      }),
    ),
    gather: Type.Optional(GatherOptionsInput),
    wait: WAIT,
  },
  { ...closed, examples: [{ max_ring_seconds: 20, gather: { max_digits: 1 } }] },
);
export const AnnounceInput = Type.Composite([SoundReferenceInput, AnnounceOptionsInput], closed);

const EXAMPLE_ID = "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10";
const FINISH_KEY = Type.Optional(nullableText("Which key ended it, where one did", "#"));
const REASON = "complete, finish_key, no_match, timeout, hung_up, stopped, cancelled or error";
const PLAYED = Type.String({ description: "whole, part or none", examples: ["part"] });

const GATHERED = {
  digits: Type.String({ description: "Without the key that ended it", examples: ["1234"] }),
  reason: Type.String({ description: REASON, examples: ["finish_key"] }),
  finish_key: FINISH_KEY,
  heard_ms: Type.Integer({ description: "Of the prompt" }),
  played: PLAYED,
  duration_ms: Type.Integer({ description: "From its beginning, with the prompt" }),
};
const GATHER_ID = { status: success, gather_id: Type.String({ examples: [EXAMPLE_ID] }) };
export const GatherAnswer = Type.Composite([Type.Object(GATHER_ID), Type.Partial(Type.Object(GATHERED))]);
export const GatherStopAnswer = Type.Object({ ...GATHER_ID, ...GATHERED });

const ANNOUNCED = {
  outcome: Type.String({
    description: "completed, not_answered, hung_up, busy, stopped or error",
    examples: ["completed"],
  }),
  answered_after_ms: nullableNumber("From the bell's first burst; null: not answered, or lifted already", 6100),
  heard_ms: Type.Integer({ examples: [4200] }),
  played: PLAYED,
};
const DIGITS = {
  digits: Type.Optional(Type.String({ description: "Where they were asked for", examples: ["1"] })),
  gather_reason: Type.Optional(Type.String({ description: REASON, examples: ["finish_key"] })),
  finish_key: FINISH_KEY,
};
const ANNOUNCE_ID = { status: success, announce_id: Type.String({ examples: [EXAMPLE_ID] }) };
export const AnnounceAnswer = Type.Composite([
  Type.Object({ ...ANNOUNCE_ID, ...DIGITS }),
  Type.Partial(Type.Object(ANNOUNCED)),
]);
export const AnnounceStopAnswer = Type.Object({ ...ANNOUNCE_ID, ...ANNOUNCED, ...DIGITS });

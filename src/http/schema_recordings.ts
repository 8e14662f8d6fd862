/** What recordings are asked with, and what is told of them. */
import { Type } from "@sinclair/typebox";
import { closed, nullableText, success } from "./schema";

const RECORDING_SOURCES = [Type.Literal("caller"), Type.Literal("played"), Type.Literal("both")];

export const RecordInput = Type.Object(
  {
    source: Type.Optional(
      Type.Union(RECORDING_SOURCES, {
        description:
          "caller: what the telephone says (omitted: this); played: what it is sent; both: stereo, the caller left",
        examples: ["caller"],
      }),
    ),
    max_duration: Type.Optional(
      Type.Integer({
        description: "ms, pauses not counted; omitted: recording.max_duration_seconds",
        examples: [60_000],
      }),
    ),
    silence_timeout: Type.Optional(
      Type.Integer({
        description: "ms, 500 or more, without the caller's voice or a key; omitted: silence does not end it",
        examples: [5000],
      }),
    ),
    finish_on_key: Type.Optional(
      Type.String({
        description: 'A key that ends it: "any", or one of these digits; omitted: none',
        examples: ["#"],
      }),
    ),
    beep: Type.Optional(
      Type.Boolean({
        description: "Sound a beep first, behind what is playing; the recording begins at its end",
        examples: [true],
      }),
    ),
    format: Type.Optional(Type.Literal("wav", { description: "8 kHz, 16 bit" })),
    trim: Type.Optional(
      Type.Boolean({
        description:
          "Without the key that ended it, and the 100 ms before hanging up, when the hook makes noise; omitted: true",
        examples: [true],
      }),
    ),
    when: Type.Optional(
      Type.Union([Type.Literal("now"), Type.Literal("off_hook")], {
        description: "off_hook: on an idle line, wait for the lift",
      }),
    ),
  },
  closed,
);

export const RecordingsQuery = Type.Object(
  { line: Type.Optional(Type.Integer({ minimum: 1, description: "Of this line only" })) },
  closed,
);

export const RecordAnswer = Type.Object({
  status: success,
  recording_id: Type.String({ examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"] }),
});
export const RecordingAnswer = Type.Object({
  id: Type.String({ examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"] }),
  line: Type.Integer({ examples: [1] }),
  source: Type.String({ description: "caller, played or both", examples: ["caller"] }),
  started: Type.String({ examples: ["2026-01-29T12:00:00.000Z"] }),
  state: Type.String({ description: "waiting, recording, paused or finished", examples: ["finished"] }),
  duration_ms: Type.Integer({ examples: [5240] }),
  bytes: Type.Integer({ description: "Of the WAV file", examples: [83_884] }),
  lost_ms: Type.Integer({
    description: "Silence in the place of what was missed while the program stood still; should be 0",
    examples: [0],
  }),
  reason: nullableText("Why it ended: see recording_finished; null while it runs"),
});
export const RecordStopAnswer = Type.Composite([
  Type.Object({
    status: success,
    recording_id: Type.String({ examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"] }),
  }),
  Type.Omit(RecordingAnswer, ["id"]),
]);

/** Live audio by WebSocket: its query, and the control frames that a client may send. */
import { type Static, Type } from "@sinclair/typebox";
import { QueryToken } from "./schema_tokens";

const closed = { additionalProperties: false } as const;

export const AudioQuery = Type.Object(
  {
    format: Type.Optional(
      Type.Union([Type.Literal("slin16"), Type.Literal("mulaw"), Type.Literal("alaw")], {
        description: "Of the binary frames, both ways, 8 kHz mono: S16LE (the default), or G.711, a byte a sample",
      }),
    ),
    frame_ms: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 60,
        multipleOf: 20,
        description: "Of the frames that are sent to you: 20 (the default), 40 or 60. Yours may be of any length",
      }),
    ),
    mode: Type.Optional(
      Type.Union([Type.Literal("listen"), Type.Literal("talk"), Type.Literal("both")], {
        description: "Omitted: both. Any number may listen",
      }),
    ),
    mix: Type.Optional(
      Type.Boolean({
        description: "Talk along with others who say so, too: up to four. Omitted: alone, or 409 talker_active",
      }),
    ),
    when: Type.Optional(
      Type.Union([Type.Literal("now"), Type.Literal("off_hook")], {
        description:
          "now (the default): 409 while the telephone is on-hook; while it rings, begins with the answer. " +
          "off_hook: waits for the lift",
      }),
    ),
    buffer_ms: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 500,
        description:
          "What you say is heard when so much of it has come, at first and after a gap; omitted: 40. More bridges a " +
          "worse network, and is as much more delay",
      }),
    ),
    token: QueryToken,
    max_buffer_ms: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: 1000,
        description:
          "For speech as it is spoken: of what waits for longer the oldest is dropped, and what a stall left waiting is " +
          "after two seconds, so that no delay stays. Omitted: 30 s may wait, nothing of them is dropped, and what comes " +
          "beyond is not taken",
      }),
    ),
  },
  closed,
);
export type AudioQuery = Static<typeof AudioQuery>;

export const MAX_MARK_NAME = 256;

export const AUDIO_CONTROLS = {
  mark: Type.Object({ type: Type.Literal("mark"), name: Type.String({ maxLength: MAX_MARK_NAME }) }, closed),
  clear: Type.Object({ type: Type.Literal("clear") }, closed),
  stats: Type.Object({ type: Type.Literal("stats") }, closed),
};
export type AudioControl = Static<(typeof AUDIO_CONTROLS)[keyof typeof AUDIO_CONTROLS]>;

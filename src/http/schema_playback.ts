/** What is asked of a playback, and how it is shown. */
import { Type } from "@sinclair/typebox";
import { MAX_GAIN_DB, MAX_LOOPS, MIN_GAIN_DB } from "../exchange/playback";
import { closed, nullableNumber, nullableText, success, when } from "./schema";

/** The same in the query and in a JSON body. */
export const PLAY_OPTIONS = {
  wait: Type.Optional(Type.Boolean({ description: "Answer when it has been heard" })),
  when,
  mode: Type.Optional(
    Type.Union([Type.Literal("queue"), Type.Literal("replace"), Type.Literal("mix")], {
      description:
        "queue: behind what plays (omitted: this); replace: at once, in the place of all that plays and waits; " +
        "mix: at once, over it",
    }),
  ),
  loop: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_LOOPS,
      description:
        "Times, without a seam; 0: until it is stopped; omitted: once. It begins when all of it has arrived, and is " +
        "at most 8 minutes long",
    }),
  ),
  gain_db: Type.Optional(
    Type.Number({
      minimum: MIN_GAIN_DB,
      maximum: MAX_GAIN_DB,
      description: "Louder or softer; peaks beyond full scale are limited softly. Omitted: 0",
    }),
  ),
  barge_in: Type.Optional(
    Type.Union([Type.Literal("none"), Type.Literal("dtmf"), Type.Literal("voice"), Type.Literal("any")], {
      description: "What of the caller ends it, within 20 ms: a key, a voice, any of both; omitted: none",
    }),
  ),
  loudness_dbm0: Type.Optional(
    Type.Number({
      minimum: -40,
      maximum: -6,
      description:
        "Brings speech to this level, pauses not counted; −18 is a clear voice. Omitted: as loud as it is. Peaks " +
        "beyond full scale are limited softly in any case. Looks a second ahead",
    }),
  ),
};

export const PlayQuery = Type.Object(PLAY_OPTIONS, closed);

const EXAMPLE_ID = "019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10";

export const PlaybackAnswer = Type.Object({
  playback_id: Type.String({ examples: [EXAMPLE_ID] }),
  line: Type.Integer({ examples: [1] }),
  state: Type.String({ description: "waiting, playing, paused or finished", examples: ["playing"] }),
  mode: Type.String({ description: "queue, replace or mix", examples: ["queue"] }),
  awaits: nullableText("answer or lift; null: its turn alone"),
  position_ms: Type.Integer({ description: "Heard so far, in this round", examples: [1240] }),
  round: Type.Integer({ description: "Counted from 1", examples: [1] }),
  sound_ms: nullableNumber("Once through; null: not known yet"),
  duration_ms: nullableNumber("All rounds; null: not known yet, or until it is stopped"),
  loop: Type.Integer({ description: "Times; 0: until it is stopped", examples: [1] }),
  gain_db: Type.Number({ examples: [0] }),
  barge_in: Type.String({ description: "none, dtmf, voice or any", examples: ["none"] }),
  seekable: Type.Boolean({ description: "It is in memory, as all are up to 8 minutes" }),
  heard_ms: Type.Integer({ description: "In all; exact when it is finished", examples: [1240] }),
  reason: nullableText("Why it ended: see playback_finished; null: it has not"),
  barged_by: nullableText("dtmf or voice, where the reason is barged"),
});

export const PlaybacksAnswer = Type.Object({
  playbacks: Type.Array(PlaybackAnswer, {
    description: "What plays and waits in its order, then the 32 that ended last, the newest first",
  }),
});

export const PlaybackVerbAnswer = Type.Composite([Type.Object({ status: success }), PlaybackAnswer]);

export const SeekInput = Type.Object(
  {
    position_ms: Type.Number({
      minimum: 0,
      maximum: 86_400_000,
      description: "From the beginning of the sound",
      examples: [10_000],
    }),
  },
  closed,
);

export const StopPlaybackInput = Type.Object(
  {
    playback_id: Type.Optional(Type.String({ description: "Only this one; omitted: all of the line" })),
  },
  closed,
);
export const StopPlaybackAnswer = Type.Object({
  status: success,
  stopped: Type.Array(PlaybackAnswer, { description: "Empty: nothing played or waited" }),
});

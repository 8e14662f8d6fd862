/** Voice bots on lines. */
import { Type } from "@sinclair/typebox";
import { MAX_PARAMETER_CHARACTERS, MAX_PARAMETERS } from "../streams/stream_request";
import { closed, nullableText } from "./schema";

export const StreamInput = Type.Object(
  {
    url: Type.String({
      description: "ws:// or wss://: Twilio Media Streams; tcp:// or audiosocket://, with a port: AudioSocket",
      examples: ["ws://127.0.0.1:8765/"],
    }),
    dialect: Type.Optional(
      Type.Union([Type.Literal("twilio"), Type.Literal("audiosocket")], {
        description: "Omitted: what the URL's scheme says",
      }),
    ),
    custom_parameters: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: `Told to a twilio bot in start.customParameters: up to ${MAX_PARAMETERS}, of ${MAX_PARAMETER_CHARACTERS} characters each, name and value together`,
        examples: [{ language: "en" }],
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

const StreamFields = {
  stream_id: Type.String({
    description: "AudioSocket's UUID; behind MZ and CA, without dashes, streamSid and callSid",
    examples: ["019c08f1-2a40-7c3e-9b1d-5f2e8a7c4d10"],
  }),
  line: Type.Integer({ examples: [1] }),
  url: Type.String({ description: "Without its query", examples: ["ws://127.0.0.1:8765/"] }),
  dialect: Type.String({ description: "twilio or audiosocket", examples: ["twilio"] }),
  state: Type.String({ description: "waiting (for a lift), connecting or open", examples: ["connecting"] }),
  started: nullableText("When the bot was connected; null: not yet"),
  sent_ms: Type.Number({ description: "Of what the telephone said, sent to the bot" }),
  received_ms: Type.Number({ description: "Of what the bot said" }),
  buffered_ms: Type.Number({ description: "Of that, not heard yet" }),
  underruns: Type.Integer({ description: "Times that the bot's sound came too late, in the middle of it" }),
  dropped_ms: Type.Number({ description: "Of the bot's sound: it came while half a minute waited already" }),
  lost_ms: Type.Number({ description: "Of the telephone's sound: the program stood still; should be 0" }),
};

export const StreamShown = Type.Object(StreamFields);
export const StreamAnswer = Type.Object({ status: Type.Literal("success"), ...StreamFields });
export const LineStreamAnswer = Type.Object({
  stream: Type.Union([StreamShown, Type.Null()], { description: "null: there is none" }),
});
export const StreamsAnswer = Type.Object({ streams: Type.Array(StreamShown) });

/** Voice bots that a telephone is connected to. */
import { timestamp } from "../../events/published";
import type { StreamStatus } from "../../streams/stream_book";
import type { Endpoint } from "../endpoint";
import { jsonInput, Nothing } from "../input";
import { LineStreamAnswer, StreamAnswer, StreamInput, StreamsAnswer } from "../schema_streams";

const shown = (stream: StreamStatus) => ({
  stream_id: stream.streamId,
  line: stream.line,
  url: stream.url,
  dialect: stream.dialect,
  state: stream.state,
  started: stream.startedAtMs === null ? null : timestamp(stream.startedAtMs),
  sent_ms: stream.sentMs,
  received_ms: stream.receivedMs,
  buffered_ms: stream.bufferedMs,
  underruns: stream.underruns,
  dropped_ms: stream.droppedMs,
  lost_ms: stream.lostMs,
});

const ofLine = { scope: "line", tag: "Voice bots" } as const;

export const STREAM_ENDPOINTS: readonly Endpoint[] = [
  {
    ...ofLine,
    method: "POST",
    path: "/stream",
    summary: "Connect the telephone to a voice bot",
    description:
      "Dials the bot: by WebSocket, and speaks Twilio Media Streams with it, or by TCP, and speaks AudioSocket. Of a " +
      "lifted line; while ringing it waits for the answer, with when=off_hook for the lift. Answers at once: " +
      "stream_started tells that the bot is there, stream_stopped that it is not any more, or was not reached, and why. " +
      "It ends when the telephone is hung up, when the bot closes, and by POST /stream/stop. One for each line.",
    body: StreamInput,
    example: { url: "ws://127.0.0.1:8765/", when: "off_hook", custom_parameters: { language: "en" } },
    answer: StreamAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, line, dependencies: { bots } }) => {
      const { custom_parameters, ...input } = await jsonInput(StreamInput, request, query);
      const parameters = custom_parameters === undefined ? {} : { customParameters: custom_parameters };
      const stream = bots.open(line, { ...input, ...parameters, when: input.when ?? "now" });
      return { status: "success", ...shown(stream) };
    },
  },
  {
    ...ofLine,
    method: "GET",
    path: "/stream",
    summary: "The line's voice bot",
    answer: LineStreamAnswer,
    problems: [],
    handle: ({ line, dependencies: { bots } }) => {
      const stream = bots.get(line);
      return { stream: stream && shown(stream) };
    },
  },
  {
    ...ofLine,
    method: "POST",
    path: "/stream/stop",
    summary: "Part the telephone from its voice bot",
    description: "Answers when the connection is closed. One that waits for a lift is dropped.",
    answer: StreamAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies: { bots } }) => {
      await jsonInput(Nothing, request, query);
      return { status: "success", ...shown(await bots.stop(line)) };
    },
  },
  {
    method: "GET",
    path: "/streams",
    scope: "server",
    tag: "Voice bots",
    summary: "The voice bots of all lines",
    answer: StreamsAnswer,
    problems: [],
    handle: ({ dependencies: { bots } }) => ({ streams: bots.all().map(shown) }),
  },
];

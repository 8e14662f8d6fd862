/** The WebSockets as AsyncAPI 3.0 has them: what OpenAPI cannot say. */
import type { TSchema } from "@sinclair/typebox";
import { SocketQuery } from "../schema";
import { AudioQuery } from "../schema_audio";
import { AUDIO_TEXT } from "./audio_text";
import { EVENT_EXAMPLES, wiresOf } from "./event_examples";

type Json = Record<string, unknown>;

/** A schema as wide as what is sent: a field that is null in one of them may be null, one that is missing is not required. */
function schemaOf(examples: readonly Json[]): Json {
  const names = [...new Set(examples.flatMap((example) => Object.keys(example)))];
  const properties = Object.fromEntries(
    names.map((name) => {
      const values = examples.filter((example) => name in example).map((example) => example[name]);
      const types = [...new Set(values.map(typeOf))];
      return [name, { type: types.length === 1 ? types[0] : types }];
    }),
  );
  return {
    type: "object",
    required: names.filter((name) => examples.every((example) => name in example)),
    properties,
  };
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

const COMMON = {
  type: { type: "string" },
  timestamp: { type: "string", format: "date-time", description: "UTC, three decimals" },
  line: { type: "integer" },
  id: { type: "string", description: "A cursor that grows: what ?since= takes" },
};

function eventMessages(): Record<string, Json> {
  const types = [...new Set(EVENT_EXAMPLES.map(({ type }) => type))];
  return Object.fromEntries(
    types.map((type) => {
      const all = EVENT_EXAMPLES.filter((example) => example.type === type);
      const schema = schemaOf(wiresOf(type));
      return [
        type,
        {
          name: type,
          contentType: "application/json",
          summary: all[0]?.meaning,
          payload: {
            ...schema,
            properties: { ...(schema.properties as Json), ...COMMON, type: { type: "string", const: type } },
          },
          examples: all.map(({ wire, meaning }) => ({ summary: meaning, payload: wire })),
        },
      ];
    }),
  );
}

/** Frames beside events. */
const CONTROL: Record<string, { summary: string; example: Json }> = {
  caught_up: { summary: "After ?since=: all that was missed has been sent", example: { type: "caught_up" } },
  resync_required: {
    summary: "After ?since=: the log does not reach back that far; read GET /lines",
    example: { type: "resync_required" },
  },
  gap: {
    summary: "Events from and to, both included, are lost to this client",
    example: { type: "gap", from: "1769688000000001", to: "1769688000000009" },
  },
  snapshot: {
    summary: "With ?snapshot=1: the state of every line, as GET /status tells it",
    example: { type: "snapshot", id: "1769688000000009", lines: [] },
  },
};

const controlMessages = (): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(CONTROL).map(([name, { summary, example }]) => [
      name,
      {
        name,
        contentType: "application/json",
        summary,
        payload: { ...schemaOf([example]) },
        examples: [{ payload: example }],
      },
    ]),
  );

const query = (schema: TSchema): Json => ({ ws: { method: "GET", query: schema, bindingVersion: "0.1.0" } });

const reference = (...path: string[]): Json => ({ $ref: `#/${path.join("/")}` });
const references = (channel: string, names: readonly string[]): Json[] =>
  names.map((name) => reference("channels", channel, "messages", name));

export function asyncApi(version: string): Json {
  const messages = { ...eventMessages(), ...controlMessages() };
  const audio = {
    sound: {
      name: "sound",
      contentType: "application/octet-stream",
      summary: "Samples, in the format that was asked for",
    },
    control: {
      name: "control",
      contentType: "application/json",
      summary: "We: started, mark, stats, xoff, xon, lost, stopped, refused, error; a client: mark, clear, stats",
      payload: { type: "object", required: ["type"], properties: { type: { type: "string" } } },
    },
  };
  const inEvents = Object.fromEntries(
    Object.keys(messages).map((name) => [name, reference("components", "messages", name)]),
  );
  return {
    asyncapi: "3.0.0",
    info: {
      title: "DAHDI Phone API",
      version,
      description: "The WebSockets of an analog telephone on a DAHDI FXS card. /openapi.json has the rest.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      rest: { host: "127.0.0.1:8000", protocol: "ws" },
      websocket: { host: "127.0.0.1:8001", protocol: "ws" },
    },
    channels: {
      events: {
        address: "/ws",
        description: "What telephones do",
        messages: inEvents,
        bindings: query(SocketQuery),
      },
      audio: {
        address: "/lines/{line}/audio",
        description: AUDIO_TEXT,
        parameters: { line: { description: "A line of GET /lines", examples: ["1"] } },
        messages: audio,
        bindings: query(AudioQuery),
      },
    },
    operations: {
      receiveEvents: {
        action: "send",
        summary: "We send; a client listens",
        channel: reference("channels", "events"),
        messages: references("events", Object.keys(messages)),
      },
      hear: {
        action: "send",
        summary: "What the caller says",
        channel: reference("channels", "audio"),
        messages: references("audio", Object.keys(audio)),
      },
      talk: {
        action: "receive",
        summary: "What the caller is to hear",
        channel: reference("channels", "audio"),
        messages: references("audio", Object.keys(audio)),
      },
    },
    components: { messages },
  };
}

/**
 * Twilio Media Streams, bidirectional, from the side that calls: JSON in text frames, G.711 µ-law in base64. Every
 * number is a string. sequenceNumber counts all messages from `start` on, chunk those of sound; timestamp is the
 * end of a chunk in ms of the stream, so that a gap shows in it.
 */
import { SAMPLE_FORMATS } from "../audio/sample_format";
import type { BotMessage, Dialect, Wire } from "./dialect";

export interface TwilioStream {
  /** AC and 32 hexadecimal digits. */
  accountSid: string;
  /** 32 hexadecimal digits, of which streamSid and callSid are made. */
  id: string;
  customParameters: Readonly<Record<string, string>>;
}

const SAMPLES_PER_MS = 8;
/** The protocol has no bound of its own; names are kept until they are echoed. */
const MAX_MARK_NAME_CHARACTERS = 256;

const { encode, decode } = SAMPLE_FORMATS.mulaw;

export function twilioDialect({ accountSid, id, customParameters }: TwilioStream): Dialect {
  const streamSid = `MZ${id}`;
  const callSid = `CA${id}`;
  let sequence = 0;
  let chunk = 0;
  let samplesSoFar = 0;

  const message = (event: string, content: Record<string, unknown>): string =>
    JSON.stringify({ event, sequenceNumber: String(++sequence), ...content, streamSid });

  return {
    begin: () => [
      JSON.stringify({ event: "connected", protocol: "Call", version: "1.0.0" }),
      message("start", {
        start: {
          accountSid,
          streamSid,
          callSid,
          tracks: ["inbound"],
          mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
          customParameters,
        },
      }),
    ],
    audio: (samples, lostBlocks) => {
      samplesSoFar += samples.length * (1 + lostBlocks);
      return message("media", {
        media: {
          track: "inbound",
          chunk: String(++chunk),
          timestamp: String(samplesSoFar / SAMPLES_PER_MS),
          payload: encode(samples).toBase64(),
        },
      });
    },
    digit: (digit) => message("dtmf", { dtmf: { track: "inbound_track", digit } }),
    mark: (name) => message("mark", { mark: { name } }),
    end: () => message("stop", { stop: { accountSid, callSid } }),
    receive: (data) => [received(data)].filter((each) => each !== null),
  };
}

const wrong = (detail: string): BotMessage => ({ kind: "error", detail });

/** null: an event that we need not know. */
function received(data: Wire): BotMessage | null {
  if (typeof data !== "string") return wrong("sent a binary frame, where this dialect has JSON in text frames");
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return wrong("sent what is no JSON");
  }
  const { event, media, mark } = (parsed ?? {}) as Record<string, Record<string, unknown> | string | undefined>;
  switch (event) {
    case "media":
      return sound((media as Record<string, unknown> | undefined)?.payload);
    case "mark": {
      const name = (mark as Record<string, unknown> | undefined)?.name;
      if (typeof name !== "string" || name.length > MAX_MARK_NAME_CHARACTERS) {
        return wrong(`sent a mark whose name is no text of up to ${MAX_MARK_NAME_CHARACTERS} characters`);
      }
      return { kind: "mark", name };
    }
    case "clear":
      return { kind: "clear" };
    default:
      return typeof event === "string" ? null : wrong("sent JSON without an event");
  }
}

function sound(payload: unknown): BotMessage {
  if (typeof payload !== "string") return wrong("sent media without a payload");
  try {
    return { kind: "audio", samples: decode(Uint8Array.fromBase64(payload)) };
  } catch {
    return wrong("sent a payload that is not base64");
  }
}

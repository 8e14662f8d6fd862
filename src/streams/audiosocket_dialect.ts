/**
 * Asterisk's AudioSocket, from the side that calls: a stream of frames over TCP.
 *
 *   type u8 │ length u16, big-endian │ payload
 */
import { SAMPLE_FORMATS } from "../audio/sample_format";
import type { BotMessage, Dialect } from "./dialect";

const HANG_UP = 0x00;
const UUID = 0x01;
const DTMF = 0x03;
/** S16LE, 8 kHz, mono. */
const SOUND = 0x10;
const ERROR = 0xff;
const HEADER_BYTES = 3;

const { encode, decode } = SAMPLE_FORMATS.slin16;

function frame(type: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes.set([type, payload.length >> 8, payload.length & 0xff]);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** id: 32 hexadecimal digits, the UUID that the peer is told. */
export function audioSocketDialect(id: string): Dialect {
  /** Of a frame whose rest is still on its way: never more than one, which is 65,538 bytes. */
  let begun = new Uint8Array(0);
  const silence = (samples: Int16Array): Uint8Array => new Uint8Array(samples.byteLength);

  return {
    begin: () => [frame(UUID, Uint8Array.fromHex(id))],
    // It has no clock of its own: what was lost is silence, up to a second, so that time goes by as it did.
    audio: (samples, lostBlocks) => {
      const missing = Math.min(lostBlocks, MAX_SILENT_BLOCKS);
      const whole = frame(SOUND, encode(samples));
      if (missing === 0) return whole;
      return joined([...Array(missing).fill(frame(SOUND, silence(samples))), whole]);
    },
    digit: (digit) => frame(DTMF, new TextEncoder().encode(digit)),
    mark: () => null,
    end: () => frame(HANG_UP, new Uint8Array(0)),
    receive: (data) => {
      if (typeof data === "string") return [];
      const bytes = begun.length === 0 ? data : joined([begun, data]);
      const messages: BotMessage[] = [];
      let at = 0;
      while (at + HEADER_BYTES <= bytes.length) {
        const [type, high, low] = bytes.subarray(at, at + HEADER_BYTES) as unknown as [number, number, number];
        const end = at + HEADER_BYTES + (high << 8) + low;
        if (end > bytes.length) break;
        const message = received(type, bytes.subarray(at + HEADER_BYTES, end));
        if (message) messages.push(message);
        at = end;
      }
      begun = bytes.slice(at);
      return messages;
    },
  };
}

const MAX_SILENT_BLOCKS = 50;

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** null: a type that we need not know, such as sound at another rate. */
function received(type: number, payload: Uint8Array): BotMessage | null {
  switch (type) {
    case HANG_UP:
      return { kind: "hang_up" };
    case SOUND:
      return payload.length % 2 === 0
        ? { kind: "audio", samples: decode(payload) }
        : { kind: "error", detail: `sent ${payload.length} bytes of sound, where a sample has two` };
    case ERROR:
      return { kind: "error", detail: `told an error of its own${payload.length > 0 ? ` (${payload[0]})` : ""}` };
    default:
      return null;
  }
}

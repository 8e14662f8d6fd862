/** A flight recording out of its file. What is wrong with it is said in one sentence. */
import { gunzipSync } from "node:zlib";
import type { DriverEvent } from "../driver/decode";
import type { LineEventBody } from "../line/events";
import { type Entry, type FlightRecording, FORMAT, type Header } from "./recording";

/** Not a flight recording, or not a whole one. */
export class FlightDataError extends Error {}

const SOUND_BLOCK_BYTES = 160;
const GZIP_MAGIC = [0x1f, 0x8b];
/** A program that unpacks what it was given must know when to stop. */
const MOST_BYTES = 1024 * 1024 * 1024;

type Json = Record<string, unknown>;

export function readRecording(bytes: Uint8Array<ArrayBuffer>): FlightRecording {
  const text = new TextDecoder().decode(unpacked(bytes));
  const lines = text.split("\n");
  const header = headerOf(lines[0] ?? "");
  if (lines.at(-1) === "") lines.pop();
  const recording: FlightRecording = { header, entries: [], sound: [] };
  for (let i = 1; i < lines.length - 1; i++) take(recording, parsed(lines[i] as string, i + 1), i + 1);
  const last = lines.length > 1 ? lastLine(lines.at(-1) as string) : null;
  if (last !== lines.length - 1)
    throw new FlightDataError(
      `it is cut off after line ${lines.length}: its last line must count those before it`,
    );
  return recording;
}

function unpacked(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const packed = GZIP_MAGIC.every((byte, i) => bytes[i] === byte);
  if (!packed) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  } catch {
    throw new FlightDataError("it is a gzip file that is cut off or damaged");
  }
}

function object(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

const lastLine = (text: string): unknown => object(text)?.end;

function parsed(text: string, number: number): Json {
  const value = object(text);
  if (!value) throw new FlightDataError(`line ${number} is not JSON: the file is damaged or cut off`);
  return value;
}

function headerOf(text: string): Header {
  const header = object(text) as Partial<Header> | null;
  if (typeof header?.flight_recording !== "number") {
    throw new FlightDataError("it is no flight recording: GET /diagnostics/flight-recorder gives one");
  }
  if (header.flight_recording !== FORMAT) {
    const { flight_recording: format, version } = header;
    throw new FlightDataError(`it is of format ${format} (version ${version}), this program reads ${FORMAT}`);
  }
  const { from_ns, to_ns, epoch_ms, lines, settings } = header;
  const fine =
    [from_ns, to_ns, epoch_ms].every((number) => Number.isFinite(number)) &&
    Array.isArray(lines) &&
    lines.length >= 1 &&
    lines.length <= 32 &&
    lines.every((each) => Number.isInteger(each?.line)) &&
    typeof settings === "object" &&
    settings !== null;
  if (!fine) throw new FlightDataError("line 1, its header, is damaged");
  return header as Header;
}

function take({ entries, sound }: FlightRecording, value: Json, number: number): void {
  const { ns } = value;
  const damaged = (): FlightDataError => new FlightDataError(`line ${number} is damaged`);
  if (typeof ns !== "number" || !Number.isFinite(ns)) throw damaged();
  if (isObject(value.sound)) {
    const heard = ulaw(value.sound.heard);
    const sent = value.sound.sent === null ? null : ulaw(value.sound.sent);
    if (!heard || sent === undefined || typeof value.line !== "number") throw damaged();
    sound.push({ atNs: ns, line: value.line, heard, sent });
    return;
  }
  const entry = entryOf(value);
  if (!entry) throw damaged();
  entries.push({ atNs: ns, entry });
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

function ulaw(text: unknown): Uint8Array | undefined {
  const bytes = typeof text === "string" ? Buffer.from(text, "base64") : null;
  return bytes?.length === SOUND_BLOCK_BYTES ? new Uint8Array(bytes) : undefined;
}

function entryOf(value: Json): Entry | null {
  const { driver, call, verb, refused, id, event, line } = value;
  if (isObject(driver) && typeof driver.kind === "string" && typeof driver.index === "number")
    return { driver: driver as unknown as DriverEvent };
  if (typeof call === "number" && typeof verb === "string" && Array.isArray(value.arguments))
    return { call, verb, arguments: value.arguments };
  if (typeof call === "number" && typeof refused === "string") return { call, refused };
  if (typeof id === "string") return { id };
  if (isObject(event) && typeof event.type === "string" && typeof line === "number")
    return { event: event as unknown as LineEventBody, line };
  return null;
}

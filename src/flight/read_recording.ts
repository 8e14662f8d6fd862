/** A flight recording out of its file. What is wrong with it is said in one sentence. */
import { gunzipSync } from "node:zlib";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { CALLER_ID_SCHEMES } from "../audio/caller_id/scheme";
import { toneZone } from "../audio/tone_zones";
import type { DriverEvent } from "../driver/decode";
import type { LineEventBody } from "../line/events";
import { type Entry, type FlightRecording, FORMAT, type Header } from "./recording";

/** Not a flight recording, or not a whole one. */
export class FlightDataError extends Error {}

const SOUND_BLOCK_BYTES = 160;
const GZIP_MAGIC = [0x1f, 0x8b];
/** A program that unpacks what it was given must know when to stop. */
const MOST_BYTES = 1024 * 1024 * 1024;

const LONGEST_NS = 3600e9;
/** What is told may have happened before, and was told a little later. */
const NEAR_NS = 60e9;

const Tenths = Type.Union([Type.Number({ minimum: 0, maximum: 200 }), Type.Null()]);
const Ms = Type.Integer({ minimum: 0, maximum: 86_400_000 });
const HeaderSchema = Type.Object({
  version: Type.String({ maxLength: 100 }),
  reason: Type.String({ maxLength: 200 }),
  dumped_at: Type.String({ maxLength: 100 }),
  from_ns: Type.Number(),
  to_ns: Type.Number(),
  epoch_ms: Type.Number(),
  masked: Type.Boolean(),
  lines: Type.Array(
    Type.Object({
      line: Type.Integer({ minimum: 1, maximum: 1023 }),
      in_service: Type.Boolean(),
      lifted: Type.Boolean(),
      volts: Tenths,
    }),
    { minItems: 1, maxItems: 32 },
  ),
  settings: Type.Object({
    defaultLine: Type.Integer(),
    maxRingMs: Ms,
    maxRecordingMs: Ms,
    toneZone: Type.String(),
    lineSettings: Type.Object({
      dialTone: Type.Union([Type.Null(), Type.Object({ timeoutMs: Ms })]),
      offHookTimeout: Type.Union([Type.Null(), Type.Object({ afterMs: Ms, reorderMs: Ms, howlerMs: Ms })]),
    }),
    callerIdScheme: Type.Union([
      Type.Null(),
      ...Object.keys(CALLER_ID_SCHEMES).map((scheme) => Type.Literal(scheme)),
    ]),
    callProgress: Type.Boolean(),
    flashMaxMs: Type.Integer({ minimum: 201, maximum: 1500 }),
    dtmfExplain: Type.Boolean(),
  }),
});

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
  const [wrong] = Value.Errors(HeaderSchema, header);
  if (wrong) throw new FlightDataError(`line 1, its header, is damaged: ${wrong.path} ${wrong.message}`);
  const { from_ns, to_ns, settings, lines } = header as Header;
  if (toneZone(settings.toneZone) === null) throw new FlightDataError(`it is of a tone zone that is not known`);
  if (to_ns < from_ns || to_ns - from_ns > LONGEST_NS) throw new FlightDataError("line 1: its times are wrong");
  if (new Set(lines.map(({ line }) => line)).size < lines.length)
    throw new FlightDataError("line 1: a line stands twice");
  return header as Header;
}

function take({ header, entries, sound }: FlightRecording, value: Json, number: number): void {
  const { ns } = value;
  const near = (atNs: number): boolean => atNs > header.from_ns - NEAR_NS && atNs < header.to_ns + NEAR_NS;
  const damaged = (): FlightDataError => new FlightDataError(`line ${number} is damaged`);
  if (!finite(ns) || !near(ns)) throw damaged();
  if (isObject(value.sound)) {
    const heard = ulaw(value.sound.heard);
    const sent = value.sound.sent === null ? null : ulaw(value.sound.sent);
    if (!heard || sent === undefined || typeof value.line !== "number") throw damaged();
    sound.push({ atNs: ns, line: value.line, heard, sent });
    return;
  }
  const entry = entryOf(value);
  if (!entry || ("driver" in entry && !near(entry.driver.atNs))) throw damaged();
  entries.push({ atNs: ns, entry });
}

const finite = (value: unknown): value is number => Number.isFinite(value);
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

function ulaw(text: unknown): Uint8Array | undefined {
  const bytes = typeof text === "string" ? Buffer.from(text, "base64") : null;
  return bytes?.length === SOUND_BLOCK_BYTES ? new Uint8Array(bytes) : undefined;
}

function entryOf(value: Json): Entry | null {
  const { driver, call, verb, refused, id, event, line } = value;
  if (isObject(driver) && typeof driver.kind === "string" && finite(driver.index) && finite(driver.atNs))
    return { driver: driver as unknown as DriverEvent };
  if (typeof call === "number" && typeof verb === "string" && Array.isArray(value.arguments))
    return { call, verb, arguments: value.arguments };
  if (typeof call === "number" && typeof refused === "string") return { call, refused };
  if (typeof id === "string") return { id };
  if (isObject(event) && typeof event.type === "string" && typeof line === "number")
    return { event: event as unknown as LineEventBody, line };
  return null;
}

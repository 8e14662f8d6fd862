/**
 * A whole exchange on a stepped engine: real native code, simulated telephones, and a virtual clock that only
 * the test moves. An hour of telephone life takes seconds and nothing waits.
 */
import { chosenScheme } from "../../src/audio/caller_id/scheme";
import { NOT_YET } from "../../src/audio/source";
import { DriverEngine, type EngineOption } from "../../src/driver/engine";
import { loadShim } from "../../src/driver/library";
import { steppedClock } from "../../src/exchange/clock";
import { PhoneExchange } from "../../src/exchange/phone_exchange";
import { SteppedRun } from "../../src/exchange/stepped_run";
import type { Exchange, Handsets, PcmSource } from "../../src/exchange/verbs";
import { FlightRecorder } from "../../src/flight/flight_recorder";
import { recordedExchange } from "../../src/flight/recorded_verbs";
import type { LineEventBody } from "../../src/line/events";
import { type LineSettings, SILENT_LINE } from "../../src/line/model";
import { RecordingStore } from "../../src/recordings/store";

export interface ToldEvent {
  line: number;
  atMs: number;
  body: LineEventBody;
}

export interface Stepped {
  exchange: PhoneExchange;
  /** The same, whose verbs the flight recorder sees. */
  verbs: Exchange;
  flight: FlightRecorder;
  handsets: Handsets;
  engine: DriverEngine;
  /** Everything published so far. */
  told: ToldEvent[];
  /** Moves the virtual clock, 20 ms at a time, delivering events on the way. */
  advance(ms: number): Promise<void>;
  /** Moves the clock until the promise settles; fails after `limitMs` of virtual time. */
  until<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** As NTP does; time passes on the same. */
  setWallClock(byMs: number): void;
  /** Types of line 1's events so far, as "ring_stop:answered" where there is a reason. */
  types(line?: number): string[];
}

export const EPOCH_MS = Date.UTC(2026, 0, 29, 12);

export async function stepped(
  options: {
    ports?: number;
    engine?: Partial<Record<EngineOption, number>>;
    maxRingMs?: number;
    lineSettings?: LineSettings;
    toneZone?: string;
    callerIdScheme?: string;
    /** Where recordings go; omitted: there is no place for any. */
    recordings?: RecordingStore;
    maxRecordingMs?: number;
    flight?: { minutes?: number; sound?: boolean };
    published?: (line: number, body: LineEventBody) => void;
  } = {},
): Promise<Stepped & Disposable> {
  const engine = new DriverEngine(await loadShim(), "stepped");
  for (const [option, value] of Object.entries(options.engine ?? {}))
    engine.setOption(option as EngineOption, value);
  const told: ToldEvent[] = [];
  let playbacks = 0;
  let gathers = 0;
  let announcements = 0;
  const nowhere = {
    folder: null,
    limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }),
    log: { error: () => undefined },
  };
  let aheadMs = 0;
  const unset = steppedClock(() => engine.nowNs(), EPOCH_MS);
  const clock = {
    ...unset,
    nowMs: () => unset.nowMs() + aheadMs,
    wallMs: (engineNs: number) => unset.wallMs(engineNs) + aheadMs,
  };
  const lines = Array.from({ length: options.ports ?? 1 }, (_, i) => ({ line: i + 1, device: null }));
  const conduct = {
    defaultLine: 1,
    toneZone: options.toneZone ?? "us",
    callProgress: true,
  };
  const rules = () => ({
    maxRingMs: options.maxRingMs ?? 120_000,
    maxRecordingMs: options.maxRecordingMs ?? 3_600_000,
    settings: options.lineSettings ?? SILENT_LINE,
    callerIdScheme: chosenScheme(options.callerIdScheme ?? "auto", options.toneZone ?? "us"),
  });
  const flight = new FlightRecorder({
    minutes: options.flight?.minutes ?? 5,
    sound: options.flight?.sound ?? false,
    version: "0",
    lines,
    settings: () => {
      const { settings, ...others } = rules();
      return { ...conduct, ...others, lineSettings: settings, flashMaxMs: 800, dtmfExplain: false };
    },
    nowNs: () => engine.nowNs(),
    nowMs: () => clock.nowMs(),
  });
  const exchange = new PhoneExchange({
    ...conduct,
    rules,
    engine,
    lines,
    clock,
    publish: (line, atMs, _nativeNs, body) => {
      told.push({ line, atMs, body });
      flight.published(line, atMs, body);
      options.published?.(line, body);
    },
    newPlaybackId: () => flight.id(`playback-${++playbacks}`),
    newBridgeId: () => flight.id(`bridge-${++playbacks}`),
    newGatherId: () => flight.id(`gather-${++gathers}`),
    newAnnounceId: () => flight.id(`announcement-${++announcements}`),
    recording: {
      store: options.recordings ?? new RecordingStore(nowhere),
      newRecordingId: () => flight.id(Bun.randomUUIDv7()),
    },
  });
  if (flight.keepsSound) for (const { line } of lines) exchange.listen(line, flight.listener(line));
  engine.start();
  const run = new SteppedRun(engine, clock, (event) => {
    flight.driver(event);
    exchange.handle(event);
  });
  const types = (line = 1): string[] =>
    told
      .filter((event) => event.line === line)
      .map(({ body }) => ("reason" in body ? `${body.type}:${body.reason}` : body.type));
  engine.step(0);
  await run.drain();
  await run.advance(20);
  if (!exchange.handsets) throw new Error("a stepped exchange is simulated");
  return {
    exchange,
    verbs: recordedExchange(exchange, flight),
    flight,
    handsets: exchange.handsets,
    engine,
    told,
    advance: (ms) => run.advance(ms),
    until: (promise, limitMs) => run.until(promise, limitMs),
    setWallClock: (byMs) => {
      aheadMs += byMs;
    },
    types,
    [Symbol.dispose]: () => engine.destroy(),
  };
}

export function pcmSource(samples: Int16Array): PcmSource {
  let at = 0;
  return {
    samples: samples.length,
    read(into) {
      const chunk = samples.subarray(at, at + into.length);
      into.set(chunk);
      at += chunk.length;
      return chunk.length;
    },
  };
}

export function readAll(source: Pick<PcmSource, "read">, chunkSamples = 1000): Int16Array {
  const parts: number[] = [];
  const into = new Int16Array(chunkSamples);
  for (let count = source.read(into); count > 0; count = source.read(into)) parts.push(...into.subarray(0, count));
  return Int16Array.from(parts);
}

/** Of a source that decodes as it arrives. */
export async function readArriving(source: PcmSource): Promise<Int16Array> {
  const parts: Int16Array[] = [];
  const into = new Int16Array(4096);
  let samples = 0;
  for (;;) {
    const count = source.read(into);
    if (count === 0) break;
    if (count === NOT_YET) {
      await new Promise<void>((resolve) => source.whenReady?.(resolve));
      continue;
    }
    parts.push(into.slice(0, count));
    samples += count;
  }
  const whole = new Int16Array(samples);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A sine of the frequency at a peak amplitude in S16 steps. */
export function sine(frequencyHz: number, ms: number, amplitude = 8000): Int16Array {
  return Int16Array.from({ length: ms * 8 }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / 8000)),
  );
}

/** Seeded noise that never repeats within a test: where it is found in an ear, there is one place only. It begins
 * without a step, which is left as it is. */
export function noise(samples: number, seed = 1, amplitude = 8000): Int16Array {
  let state = seed >>> 0;
  return Int16Array.from({ length: samples }, (_, i) => {
    if (i === 0) return 0;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.round((state / 0xffffffff - 0.5) * 2 * amplitude);
  });
}

/** Where `part` stands in `whole`, sample for sample; −1 nowhere. */
export function find(whole: Int16Array, part: Int16Array): number {
  const last = whole.length - part.length;
  for (let start = 0; start <= last; start++) {
    let same = 0;
    while (same < part.length && whole[start + same] === part[same]) same++;
    if (same === part.length) return start;
  }
  return -1;
}

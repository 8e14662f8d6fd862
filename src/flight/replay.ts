/**
 * A recording, done again: the real I/O engine on a virtual clock, simulated telephones that do what those did, and the
 * same verbs at the same times. Where sound was recorded, our detectors hear it again; else keys are pressed and voices
 * are noise.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DriverEngine } from "../driver/engine";
import { Handset } from "../driver/handset";
import type { Shim } from "../driver/library";
import { Port } from "../driver/port";
import { steppedClock } from "../exchange/clock";
import { PhoneExchange } from "../exchange/phone_exchange";
import { SteppedRun } from "../exchange/stepped_run";
import { RecordingStore } from "../recordings/store";
import { codeOf, verbKind } from "./recorded_verbs";
import type { Entry, FlightRecording } from "./recording";
import { givenAgain, playedMs } from "./silent_sound";
import { type SpokenBlock, soundTrack } from "./sound_track";
import { type Stimulus, stimuliOf } from "./stimuli";
import { noiseTrack } from "./talk_noise";
import type { ToldEvent } from "./told";

/** Until the lines are up, lifted where they were, and quiet. */
const LEAD_MS = 3000;
const LIFT_AFTER_MS = 500;
/** For what the last moment gives rise to. */
const TAIL_MS = 1500;
const NS_PER_MS = 1e6;
/** Of the real clock: a disk that is asked on the way gets so long before time goes on. */
const DISK_MS = 25;
/** The last overlay: what was sent is added to queues that are silent. */
const SOUND_LANE = 3;
const NO_NOISE_CDBM0 = -12_000;

/** Tones that we make stand in the recorded sound already. */
class SilentToneEngine extends DriverEngine {
  override renderTone(_hz: readonly number[], _level: number, _start: number, into: Int16Array): void {
    into.fill(0);
  }
}

interface Act {
  ms: number;
  act: () => void | Promise<void>;
}

export interface Replay {
  told: ToldEvent[];
  /** By the call's number, the code. */
  refused: ReadonlyMap<number, string>;
  /** What could not be done again. */
  notes: string[];
}

export async function replay(recording: FlightRecording, shim: Shim): Promise<Replay> {
  const { header, entries, sound } = recording;
  const { settings } = header;
  const withSound = sound.length > 0;
  const engine = new (withSound ? SilentToneEngine : DriverEngine)(shim, "stepped");
  engine.setOption("FlashMaxMs", settings.flashMaxMs);
  engine.setOption("DtmfExplain", settings.dtmfExplain ? 1 : 0);
  engine.setOption("WatchdogMs", 0);
  if (withSound) {
    engine.setOption("SimEchoCdb", 0);
    engine.setOption("SimNoiseCdbm0", NO_NOISE_CDBM0);
  }
  const startMs = engine.nowNs() / NS_PER_MS + LEAD_MS;
  const clock = steppedClock(() => engine.nowNs(), header.epoch_ms + header.from_ns / NS_PER_MS - startMs);
  const ids = entries.flatMap(({ entry }) => ("id" in entry ? [entry.id] : []));
  const nextId = (): string => ids.shift() ?? Bun.randomUUIDv7();
  const folder = mkdtempSync(join(tmpdir(), "dahdi-phone-replay-"));
  const told: ToldEvent[] = [];
  const notes: string[] = [];
  const refused = new Map<number, string>();
  const exchange = new PhoneExchange({
    engine,
    lines: header.lines.map(({ line }) => ({ line, device: null })),
    defaultLine: settings.defaultLine,
    clock,
    publish: (line, atMs, _, body) =>
      void told.push({ line, atNs: (atMs - header.epoch_ms) * NS_PER_MS, body: structuredClone(body) }),
    newPlaybackId: nextId,
    newBridgeId: nextId,
    newGatherId: nextId,
    newAnnounceId: nextId,
    recording: {
      store: new RecordingStore({
        folder,
        limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }),
        log: { error: () => undefined },
      }),
      newRecordingId: nextId,
    },
    rules: () => ({
      maxRingMs: settings.maxRingMs,
      maxRecordingMs: settings.maxRecordingMs,
      settings: settings.lineSettings,
      callerIdScheme: settings.callerIdScheme,
    }),
    toneZone: settings.toneZone,
    callProgress: settings.callProgress,
  });
  const handsets = header.lines.map((_, index) => new Handset(engine, index));
  const run = new SteppedRun(engine, clock, (event) => exchange.handle(event));
  try {
    engine.start();
    const stimuli = stimuliOf(recording, !withSound);
    const acts = [
      ...opening(recording, handsets),
      ...moves(stimuli, handsets, header.from_ns),
      ...header.lines.flatMap(({ line, lifted }, index) => {
        const ofLine = stimuli.filter((each) => each.index === index);
        const track = withSound
          ? soundTrack(
              sound.filter((each) => each.line === line),
              ofLine,
              lifted,
            )
          : noiseTrack(ofLine);
        const lane = new Port(engine, index, line, null).lane(SOUND_LANE);
        return spoken(track, header.from_ns, (block) => {
          handsets[index]?.micWrite(block.heard);
          lane.write(block.sent ?? new Int16Array(block.heard.length));
        });
      }),
      ...verbs(recording, (asked, given) => ask({ exchange, run, engine, refused, notes }, asked, given)),
    ].sort((a, b) => a.ms - b.ms);
    let nowMs = 0;
    for (const { ms, act } of acts) {
      if (ms > nowMs) {
        await run.advance(ms - nowMs);
        nowMs = ms;
      }
      // One that a damaged line asks for cannot be done; the others can.
      await Promise.resolve()
        .then(act)
        .catch((error: unknown) => notes.push(`at ${ms - LEAD_MS} ms: ${(error as Error).message}`));
    }
    const endMs = LEAD_MS + (header.to_ns - header.from_ns) / NS_PER_MS + TAIL_MS;
    await run.advance(Math.ceil(endMs - nowMs));
    await Promise.race([exchange.closeRecordings(), Bun.sleep(40 * DISK_MS)]);
  } finally {
    engine.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
  return { told: told.filter(({ atNs }) => atNs >= header.from_ns), refused, notes };
}

const ignored = (promise: Promise<void>): void => void promise.catch(() => undefined); // its event is missed then

/** Whole ms of the virtual clock since the start. */
const virtualMs = (atNs: number, fromNs: number): number =>
  Math.max(0, Math.round(LEAD_MS + (atNs - fromNs) / NS_PER_MS)) || 0;

function opening({ header }: FlightRecording, handsets: readonly Handset[]): Act[] {
  return header.lines.flatMap(({ in_service, lifted, volts }, index) => {
    const handset = handsets[index] as Handset;
    const acts: Act[] = [];
    if (volts !== null) acts.push({ ms: 0, act: () => ignored(handset.voltage(volts * 1000)) });
    if (!in_service) acts.push({ ms: 0, act: () => ignored(handset.plug(false)) });
    if (lifted) acts.push({ ms: LIFT_AFTER_MS, act: () => ignored(handset.hook(true)) });
    return acts;
  });
}

function moves(stimuli: readonly Stimulus[], handsets: readonly Handset[], fromNs: number): Act[] {
  return stimuli.flatMap(({ atNs, index, move }) => {
    const handset = handsets[index];
    return handset ? [{ ms: virtualMs(atNs, fromNs), act: () => ignored(moved(handset, move)) }] : [];
  });
}

function moved(handset: Handset, move: Stimulus["move"]): Promise<void> {
  switch (move.kind) {
    case "hook":
      return handset.hook(move.lifted);
    case "flash":
      return handset.flash(move.durationMs);
    case "press": {
      const { digit, durationMs, levelDbm0, twistDb } = move;
      return handset.press({ digits: digit, onMs: Math.max(1, durationMs), offMs: 0, levelDbm0, twistDb });
    }
    case "pulse":
      return handset.pulse(move.digit, move.breakMs, move.makeMs);
    case "voltage":
      return handset.voltage(Math.round(move.volts * 1000));
    case "plug":
      return handset.plug(move.plugged);
    case "talk":
      return Promise.resolve(); // its samples are a track
  }
}

const spoken = (track: readonly SpokenBlock[], fromNs: number, say: (block: SpokenBlock) => void): Act[] =>
  track.map((block) => ({ ms: virtualMs(block.atNs, fromNs), act: () => say(block) }));

function verbs(recording: FlightRecording, call: (asked: Asked, given: unknown[]) => Promise<void>): Act[] {
  return recording.entries.flatMap(({ atNs, entry }, place) => {
    if (!("verb" in entry)) return [];
    const act = async (): Promise<void> =>
      call(entry, await givenAgain(entry.arguments, playedMs(recording.entries, place)));
    return [{ ms: virtualMs(atNs, recording.header.from_ns), act }];
  });
}

type Asked = Pick<Extract<Entry, { verb: string }>, "call" | "verb">;

interface Stage {
  exchange: PhoneExchange;
  run: SteppedRun;
  engine: DriverEngine;
  refused: Map<number, string>;
  notes: string[];
}

async function ask(stage: Stage, { call, verb: name }: Asked, given: unknown[]): Promise<void> {
  const { exchange, run, engine, refused, notes } = stage;
  const kind = verbKind(name);
  if (kind !== "verb") {
    notes.push(`${name}: ${kind === null ? "this version has no such verb" : "live audio is not done again"}`);
    return;
  }
  // A recording before it may still be closing its file.
  if (/record/i.test(name)) await Bun.sleep(DISK_MS);
  const [room = "", verb] = name.split(".");
  const owner: object = verb === undefined ? exchange : (Reflect.get(exchange, room) as object);
  const method = Reflect.get(owner, verb ?? room) as (...given: unknown[]) => unknown;
  const settled = new Promise((resolve) => resolve(Reflect.apply(method, owner, given))).catch((error: unknown) =>
    refused.set(call, codeOf(error)),
  );
  engine.step(0);
  await run.drain();
  await Promise.race([settled, Bun.sleep(DISK_MS)]);
}

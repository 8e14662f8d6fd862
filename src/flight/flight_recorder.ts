/**
 * The last minutes, for who looks for a fault: what the I/O thread told, what we were asked and refused, what was
 * published, and, where that is asked for, what was heard. References are kept and JSON is made when it is wanted.
 */
import type { DriverEvent } from "../driver/decode";
import type { TapListener } from "../exchange/line_tap";
import type { LineEventBody } from "../line/events";
import { jsonLines } from "./json_lines";
import { OpeningState } from "./opening_state";
import { plainArguments, type VerbRecorder } from "./recorded_verbs";
import { type Entry, FORMAT, type Header, type RecordedSettings } from "./recording";
import { RecordingRing } from "./recording_ring";
import { SoundRing } from "./sound_ring";

/** Of five minutes in which four telephones are never at rest; 170 bytes each, measured: 5.6 MB. */
const ENTRIES = 32_768;
/** 10 s: as the tap's ring allows. */
const SOUND_EVERY_BLOCKS = 50;
/** Nothing is told later than that. */
const LONGEST_AGO_NS = 10e9;
const NS_PER_MINUTE = 60e9;
const NS_PER_MS = 1e6;

export interface FlightRecorderOptions {
  minutes: number;
  sound: boolean;
  version: string;
  lines: readonly { line: number; device: string | null }[];
  /** As they are when it is dumped. */
  settings: () => RecordedSettings;
  nowNs: () => number;
  /** Unix ms. */
  nowMs: () => number;
}

export interface DumpOptions {
  reason: string;
  /** With what was heard, where that is kept. */
  sound: boolean;
  /** Digits and callers become x: for what leaves the machine. */
  masked: boolean;
}

export class FlightRecorder implements VerbRecorder {
  readonly #ring: RecordingRing<Entry>;
  readonly #opening: OpeningState;
  readonly #sounds = new Map<number, SoundRing>();
  readonly #startedNs: number;
  #calls = 0;

  constructor(private readonly options: FlightRecorderOptions) {
    this.#startedNs = options.nowNs();
    this.#opening = new OpeningState(options.lines);
    this.#ring = new RecordingRing(ENTRIES, options.minutes * NS_PER_MINUTE, (entry) => {
      if ("driver" in entry) this.#opening.left(entry.driver);
    });
  }

  /** Before it is handled. */
  driver(event: DriverEvent): void {
    // Of buffers that run low nobody learns anything.
    if (event.kind === "tap_blocks" || event.kind === "mic_low" || event.kind === "play_low") return;
    this.#ring.push(event.toldNs, { driver: event });
  }

  asked(verb: string, given: readonly unknown[]): number {
    const call = ++this.#calls;
    this.#push({ call, verb, arguments: plainArguments(given) });
    return call;
  }

  refused(call: number, code: string): void {
    this.#push({ call, refused: code });
  }

  /** Passes on an id that was made. */
  id(id: string): string {
    this.#push({ id });
    return id;
  }

  /** atMs: when it happened. */
  published(line: number, atMs: number, event: LineEventBody): void {
    const nowNs = this.options.nowNs();
    const agoNs = (this.options.nowMs() - atMs) * NS_PER_MS;
    // A wall clock that is set just now makes no hour of it.
    this.#ring.push(nowNs - Math.min(Math.max(0, agoNs), LONGEST_AGO_NS), { event, line });
  }

  #push(entry: Entry): void {
    this.#ring.push(this.options.nowNs(), entry);
  }

  get keepsSound(): boolean {
    return this.options.sound;
  }

  /** For the line's tap. */
  listener(line: number): TapListener {
    const ring = new SoundRing(this.options.minutes);
    this.#sounds.set(line, ring);
    return { everyBlocks: SOUND_EVERY_BLOCKS, block: (block) => ring.keep(block) };
  }

  /** The file, in pieces; made as they are taken, so that a server goes on meanwhile. */
  dump({ reason, sound, masked }: DumpOptions): Generator<string> {
    const { minutes, version, settings, nowNs, nowMs } = this.options;
    const toNs = nowNs();
    this.#ring.expire(toNs);
    const entries = [...this.#ring];
    const windowNs = Math.max(this.#startedNs, toNs - minutes * NS_PER_MINUTE);
    const oldest = entries[0]?.atNs ?? windowNs;
    const header: Header = {
      flight_recording: FORMAT,
      version,
      reason,
      dumped_at: new Date(nowMs()).toISOString(),
      from_ns: this.#ring.crowdedOut > 0 ? Math.max(windowNs, oldest) : windowNs,
      to_ns: toNs,
      epoch_ms: nowMs() - toNs / NS_PER_MS,
      masked,
      sound: sound && this.options.sound,
      crowded_out: this.#ring.crowdedOut,
      lines: this.#opening.lines,
      settings: settings(),
    };
    return jsonLines(header, entries, header.sound ? this.#sounds : new Map(), toNs);
  }
}

/**
 * What the telephones did, out of what the I/O thread told of them: a hand's moves, in the order of their times. Pure.
 */
import type { DriverEvent } from "../driver/decode";
import type { FlightRecording, OpeningLine } from "./recording";

export type Move =
  | { kind: "hook"; lifted: boolean }
  | { kind: "flash"; durationMs: number }
  | { kind: "press"; digit: string; durationMs: number; levelDbm0: number; twistDb: number }
  | { kind: "pulse"; digit: string; breakMs: number; makeMs: number }
  | { kind: "talk"; durationMs: number; levelDbm0: number }
  | { kind: "voltage"; volts: number }
  | { kind: "plug"; plugged: boolean };

export interface Stimulus {
  atNs: number;
  /** The line's number in the recording's list. */
  index: number;
  move: Move;
}

const NS_PER_MS = 1e6;
/** A good dial's: where it was not measured. */
const DIAL = { perSecond: 10, breakPercent: 60 };
/** A break that is certainly none of a dial's. */
const SHORTEST_FLASH_MS = 210;
/** The card is asked once a second: a voltage must be there when it was read. */
const VOLTAGE_LEAD_MS = 30;
/** A dial's digit is told so long after its last pulse. */
const PULSE_TIMEOUT_MS = 250;
/** Pressed, or dialled, where it is masked. */
const ANY_DIGIT = "1";

const digitOf = (digit: string): string => (digit === "x" ? ANY_DIGIT : digit);

/** keys: press them and talk; else the recorded sound does. */
export function stimuliOf({ header, entries }: FlightRecording, keys: boolean): Stimulus[] {
  const stimuli: Stimulus[] = [];
  const tracks = header.lines.map((opening, index) => new LineTrack(opening, index, keys, stimuli));
  for (const { entry } of entries) if ("driver" in entry) tracks[entry.driver.index]?.take(entry.driver);
  for (const track of tracks) track.end(header.to_ns);
  return stimuli.sort((a, b) => a.atNs - b.atNs);
}

class LineTrack {
  #lifted: boolean;
  #downNs: number | null = null;
  /** A block's first sound may be older than the event that the telephone was lifted. */
  #notBeforeNs = Number.NEGATIVE_INFINITY;
  #twistDb = 0;
  #pulsesNs: number | null = null;
  #talkNs: number | null = null;
  #talkDbm0 = 0;

  constructor(
    opening: OpeningLine,
    private readonly index: number,
    private readonly keys: boolean,
    private readonly stimuli: Stimulus[],
  ) {
    this.#lifted = opening.lifted;
  }

  #add(atNs: number, move: Move): void {
    this.stimuli.push({ atNs, index: this.index, move });
  }

  #hook(atNs: number, lifted: boolean): void {
    if (this.#lifted === lifted) return;
    this.#lifted = lifted;
    this.#notBeforeNs = atNs + NS_PER_MS;
    this.#add(atNs, { kind: "hook", lifted });
  }

  take(event: DriverEvent): void {
    const { atNs } = event;
    switch (event.kind) {
      case "line_up":
        this.#hook(atNs, event.lifted);
        this.#add(atNs, { kind: "plug", plugged: true });
        break;
      case "line_down":
        this.#add(atNs, { kind: "plug", plugged: false });
        break;
      case "off_hook":
      case "on_hook":
        this.#hook(atNs, event.kind === "off_hook");
        break;
      case "flash":
        this.#add(atNs - event.durationMs * NS_PER_MS, {
          kind: "flash",
          durationMs: Math.max(SHORTEST_FLASH_MS, event.durationMs),
        });
        break;
      case "voltage":
        this.#add(atNs - VOLTAGE_LEAD_MS * NS_PER_MS, { kind: "voltage", volts: event.volts });
        break;
      case "pulse_start":
        this.#pulsesNs = atNs;
        break;
      case "pulse_digit":
        this.#dialled(event);
        break;
      default:
        if (this.keys) this.#heard(event);
    }
  }

  #dialled(event: DriverEvent & { kind: "pulse_digit" }): void {
    const { perSecond, breakPercent } = DIAL;
    const periodMs = 1000 / (event.pulsesPerSecond ?? perSecond);
    const breakMs = Math.round((periodMs * (event.breakPercent ?? breakPercent)) / 100);
    const makeMs = Math.max(1, Math.round(periodMs) - breakMs);
    const turnedMs = event.durationMs > 0 ? event.durationMs : breakMs;
    const atNs = this.#pulsesNs ?? event.atNs - (turnedMs + PULSE_TIMEOUT_MS) * NS_PER_MS;
    this.#add(atNs, { kind: "pulse", digit: digitOf(event.digit), breakMs: Math.max(1, breakMs), makeMs });
    this.#pulsesNs = null;
  }

  /** What was heard, without its sound: a key by its tones, a voice by noise as loud and as long. */
  #heard(event: DriverEvent): void {
    const atNs = Math.max(event.atNs, this.#notBeforeNs);
    if (event.kind === "dtmf_down") this.#downNs = atNs;
    else if (event.kind === "dtmf_detail") this.#twistDb = event.detail.twist_db;
    else if (event.kind === "dtmf_up") {
      const { digit, durationMs, levelDbm0 } = event;
      const key = { digit: digitOf(digit), durationMs, levelDbm0, twistDb: this.#twistDb };
      this.#add(this.#downNs ?? atNs - durationMs * NS_PER_MS, { kind: "press", ...key });
      this.#downNs = null;
      this.#twistDb = 0;
    } else if (event.kind === "voice_start") {
      this.#talkNs = atNs;
      this.#talkDbm0 = event.levelDbm0;
    } else if (event.kind === "voice_end") this.#talked(atNs, event.segmentDbm0);
  }

  #talked(untilNs: number, levelDbm0: number): void {
    if (this.#talkNs === null) return;
    const durationMs = Math.max(1, (untilNs - this.#talkNs) / NS_PER_MS);
    this.#add(this.#talkNs, { kind: "talk", durationMs, levelDbm0 });
    this.#talkNs = null;
  }

  /** The recording ends; who talks just then talks on. */
  end(atNs: number): void {
    this.#talked(atNs, this.#talkDbm0);
  }
}

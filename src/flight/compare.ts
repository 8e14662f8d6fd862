/**
 * Two runs of events beside each other: which happened in both, which in one, which otherwise. Pure. Of each line and
 * type the events are paired in their order, as long as their times are near enough.
 */
import type { LineEventBody, LineEventType } from "../line/events";
import { verbKind } from "./recorded_verbs";
import type { FlightRecording } from "./recording";
import type { ToldEvent } from "./told";

/** same · other: fields differ, or the time · missing: only recorded · extra: only replayed · outside: not compared */
export type Verdict = "same" | "other" | "missing" | "extra" | "outside";

export interface Pair {
  verdict: Verdict;
  recorded: ToldEvent | null;
  replayed: ToldEvent | null;
  /** Replayed later by so much; null: not both happened. */
  offsetMs: number | null;
  /** Names of what differs; or why it is not compared. */
  notes: string[];
}

const NS_PER_MS = 1e6;
/** Blocks of 20 ms that begin elsewhere, a detector's delay, a busy machine's lateness. */
const TIME_TOLERANCE_MS = 150;
/** The card's voltage is read once a second. */
const VOLTAGE_TOLERANCE_MS = 1200;
/** Two of a kind that are further apart are not the same event. */
const PAIRED_WITHIN_MS = 2000;
const DURATION_TOLERANCE_MS = 80;
const LEVEL_TOLERANCE_DB = 3;
const BYTES_PER_MS = 16;

const isDuration = (name: string): boolean => name === "duration" || name.endsWith("_ms");
const TIMES = new Set(["startMs", "endMs"]);
const LEVELS = new Set(["energyLevel", "segmentLevel", "signal_level", "level"]);
const TOLERANCES: Record<string, number> = {
  voltage: 1,
  pulses_per_second: 1,
  break_ratio_percent: 8,
  bytes: DURATION_TOLERANCE_MS * BYTES_PER_MS,
};
/** Of the machine: they differ between a card and a simulated one. */
const UNCOMPARED = new Set(["type", "error", "details", "detail"]);
/** Instantaneous levels at an onset say little where the sound was not recorded. */
const LEVEL_FIELDS_OF_SOUND = new Set(["energyLevel", "segmentLevel"]);
const DIGITS = new Set(["digit", "digits"]);

/** What ends what; an end whose beginning was before the recording is none of ours. */
const BEGINNINGS: Partial<Record<LineEventType, { by: LineEventType; id: string | null }>> = {
  ring_stop: { by: "ring_start", id: null },
  playback_finished: { by: "playback_started", id: "playback_id" },
  recording_finished: { by: "recording_started", id: "recording_id" },
  bridge_left: { by: "bridge_joined", id: "bridge_id" },
};

export function compare(recording: FlightRecording, replayed: readonly ToldEvent[]): Pair[] {
  const recorded = recording.entries.flatMap(({ atNs, entry }) =>
    "event" in entry ? [{ line: entry.line, atNs, body: entry.event }] : [],
  );
  const comparison = new Comparison(recording);
  const kinds = new Set([...recorded, ...replayed].map(kindOf));
  const pairs = [...kinds].flatMap((kind) =>
    comparison.pairs(
      recorded.filter((event) => kindOf(event) === kind),
      replayed.filter((event) => kindOf(event) === kind),
    ),
  );
  const outside = comparison.withoutBeginning(recorded);
  for (const pair of pairs) {
    if (pair.verdict === "missing" && pair.recorded && outside.has(pair.recorded)) {
      pair.verdict = "outside";
      pair.notes = ["began before the recording"];
    }
  }
  // It may have been about to happen when the recording ended.
  const endNs = recording.header.to_ns - TIME_TOLERANCE_MS * NS_PER_MS;
  return pairs
    .filter(({ recorded, replayed }) => recorded !== null || (replayed?.atNs ?? 0) < endNs)
    .sort((a, b) => timeOf(a) - timeOf(b));
}

/** Verbs that were refused in one run alone, or for another reason. */
export function compareRefusals({ entries }: FlightRecording, replayed: ReadonlyMap<number, string>): string[] {
  const recorded = new Map(
    entries.flatMap(({ entry }) => ("refused" in entry ? [[entry.call, entry.refused]] : [])),
  );
  return entries.flatMap(({ entry }) => {
    if (!("verb" in entry) || verbKind(entry.verb) !== "verb") return [];
    const [before, now] = [recorded, replayed].map((refused) => refused.get(entry.call) ?? "accepted");
    return before === now ? [] : [`${entry.verb}, call ${entry.call}: ${before}, replayed ${now}`];
  });
}

const kindOf = ({ line, body }: ToldEvent): string => `${line} ${body.type}`;
const timeOf = ({ recorded, replayed }: Pair): number => (recorded ?? replayed)?.atNs ?? 0;

class Comparison {
  /** Recorded ids and what they are called in the replay. */
  readonly #ids = new Map<unknown, unknown>();
  readonly #withSound: boolean;
  readonly #masked: boolean;
  /** Lines whose card told no voltage. */
  readonly #silentLines: ReadonlySet<number>;

  constructor({ header, entries, sound }: FlightRecording) {
    this.#withSound = sound.length > 0;
    this.#masked = header.masked;
    const told = new Set(
      entries.flatMap(({ entry }) =>
        "driver" in entry && entry.driver.kind === "voltage" ? [entry.driver.index] : [],
      ),
    );
    this.#silentLines = new Set(
      header.lines.filter(({ volts }, index) => volts === null && !told.has(index)).map(({ line }) => line),
    );
  }

  pairs(recorded: readonly ToldEvent[], replayed: readonly ToldEvent[]): Pair[] {
    const pairs: Pair[] = [];
    const waiting = [...replayed];
    for (const event of recorded) {
      // The nearest in time; what stands before it happened only now.
      const place = waiting.findIndex(({ atNs }) => Math.abs(atNs - event.atNs) <= PAIRED_WITHIN_MS * NS_PER_MS);
      if (place < 0) {
        pairs.push(this.#pair(event, null));
        continue;
      }
      let best = place;
      const farNs = (at: number): number => Math.abs((waiting[at] as ToldEvent).atNs - event.atNs);
      while (best + 1 < waiting.length && farNs(best + 1) < farNs(best)) best++;
      for (const early of waiting.splice(0, best)) pairs.push(this.#pair(null, early));
      pairs.push(this.#pair(event, waiting.shift() as ToldEvent));
    }
    return [...pairs, ...waiting.map((event) => this.#pair(null, event))];
  }

  withoutBeginning(recorded: readonly ToldEvent[]): Set<ToldEvent> {
    const begun = new Set<string>();
    const outside = new Set<ToldEvent>();
    for (const event of recorded) {
      const { line, body } = event;
      const idOf = (field: string | null): unknown => (field === null ? "" : Reflect.get(body, field));
      if (body.type === "voice") {
        if (!body.active && !begun.has(`${line} voice`)) outside.add(event);
        begun.add(`${line} voice`);
      }
      const beginning = BEGINNINGS[body.type];
      if (beginning && !begun.has(`${line} ${beginning.by} ${idOf(beginning.id)}`)) outside.add(event);
      const ends = Object.values(BEGINNINGS).find(({ by }) => by === body.type);
      if (ends) begun.add(`${line} ${body.type} ${idOf(ends.id)}`);
    }
    return outside;
  }

  #pair(recorded: ToldEvent | null, replayed: ToldEvent | null): Pair {
    const { body, line } = (recorded ?? replayed) as ToldEvent;
    const offsetMs = recorded && replayed ? Math.round((replayed.atNs - recorded.atNs) / NS_PER_MS) : null;
    const why = this.#uncomparable(body, line);
    if (why !== null) return { verdict: "outside", recorded, replayed, offsetMs, notes: [why] };
    if (!recorded) return { verdict: "extra", recorded, replayed, offsetMs, notes: [] };
    if (!replayed) return { verdict: "missing", recorded, replayed, offsetMs, notes: [] };
    const notes = this.#differences(recorded.body, replayed.body);
    const tolerance = body.type === "voltage_change" ? VOLTAGE_TOLERANCE_MS : TIME_TOLERANCE_MS;
    if (Math.abs(offsetMs ?? 0) > tolerance) notes.push("time");
    return { verdict: notes.length === 0 ? "same" : "other", recorded, replayed, offsetMs, notes };
  }

  #uncomparable(body: LineEventBody, line: number): string | null {
    if (body.type === "hardware_status" && body.status !== "ready") return "of the machine";
    if (body.type.startsWith("stream_")) return "live audio";
    if (body.type === "voltage_change" && this.#silentLines.has(line)) return "its card told no voltage";
    if ((body.type === "call_progress" || body.type === "dtmf_rejected") && !this.#withSound) return "needs sound";
    return null;
  }

  #differences(recorded: LineEventBody, replayed: LineEventBody): string[] {
    const names = new Set([...Object.keys(recorded), ...Object.keys(replayed)]);
    return [...names].filter(
      (name) => !this.#alike(name, Reflect.get(recorded, name), Reflect.get(replayed, name)),
    );
  }

  #alike(name: string, recorded: unknown, replayed: unknown): boolean {
    if (UNCOMPARED.has(name)) return true;
    if (this.#masked && (DIGITS.has(name) || isDuration(name))) return true;
    if (LEVEL_FIELDS_OF_SOUND.has(name) && !this.#withSound) return true;
    if (name.endsWith("_id")) return this.#sameId(recorded, replayed);
    if (typeof recorded !== "number" || typeof replayed !== "number") return Bun.deepEquals(recorded, replayed);
    const tolerance = isDuration(name)
      ? DURATION_TOLERANCE_MS
      : TIMES.has(name)
        ? TIME_TOLERANCE_MS
        : LEVELS.has(name)
          ? LEVEL_TOLERANCE_DB
          : (TOLERANCES[name] ?? 0);
    return Math.abs(recorded - replayed) <= tolerance;
  }

  /** The names may differ, what they name must not. */
  #sameId(recorded: unknown, replayed: unknown): boolean {
    if (!this.#ids.has(recorded)) this.#ids.set(recorded, replayed);
    return this.#ids.get(recorded) === replayed;
  }
}

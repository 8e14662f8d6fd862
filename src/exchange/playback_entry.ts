/** One playback in its queue: what is known of it from the request to its end. */
import type { KeptSource } from "../audio/kept_source";
import type { BargedBy, PlaybackEndReason } from "../line/state";
import type { PlaybackEnd, PlaybackStatus, PlayOptions } from "./playback";
import type { SampleFeed } from "./sample_feed";

const SAMPLES_PER_MS = 8;
const NS_PER_SAMPLE = 125_000;

export const toMs = (samples: number): number => Math.round(samples / SAMPLES_PER_MS);
export const toSamples = (ms: number): number => Math.round(ms * SAMPLES_PER_MS);

/** What lies between two marks of a lane: a playback without seeking is one stretch. */
export interface Stretch {
  mark: number;
  entry: PlaybackEntry;
  /** Where in the lane it begins. */
  position: number;
  /** Where in the sound it begins, rounds included. */
  fromPlace: number;
  writtenSamples: number;
  startedNs: number | null;
  /** Stood still for so long; since when it does: null, it does not. */
  heldNs: number;
  heldSinceNs: number | null;
}

export class PlaybackEntry {
  feed: SampleFeed | null = null;
  stretch: Stretch | null = null;
  poured = false;
  /** Its samples could not be had to the end: what was had of them is heard. */
  failed = false;
  /** playback_started was told. */
  told = false;
  paused = false;
  /** Where it goes on when it is poured next, and whether that is a place where it was cut into. */
  place = 0;
  inside = false;
  /** Taken back, to go on where it was heard to: until the driver tells where that is. */
  takenBack: Stretch | null = null;
  /** Of the stretches that are over. */
  heardSamples = 0;
  /** Why it is being cut short; null while it runs its course. */
  cut: PlaybackEndReason | null = null;
  bargedBy: BargedBy | null = null;
  end: PlaybackEnd | null = null;
  readonly #finished = Promise.withResolvers<PlaybackEnd>();

  constructor(
    readonly line: number,
    readonly playbackId: string,
    readonly source: KeptSource,
    readonly options: Required<PlayOptions>,
    public awaits: "nothing" | "answer" | "lift",
    /** The line's own tone: no event tells it, and it gives way. */
    readonly own: boolean,
  ) {}

  /** Some of it is in the lane, or was until a moment ago. */
  get inLane(): boolean {
    return this.stretch !== null || this.takenBack !== null;
  }

  /** Its stretch of now is being heard. */
  get heard(): boolean {
    return this.stretch !== null && this.stretch.startedNs !== null;
  }

  get finished(): Promise<PlaybackEnd> {
    return this.#finished.promise;
  }

  get durationMs(): number | null {
    const { samples } = this.source;
    return samples === null ? null : toMs(samples);
  }

  /** Out of the lane, before it is flushed. */
  takeBack(): void {
    this.takenBack = this.stretch ?? this.takenBack;
    this.stretch = null;
    this.feed = null;
    this.poured = false;
  }

  /** It goes on from there when it is poured next. */
  goTo(place: number, inside: boolean): void {
    this.takenBack = null;
    this.place = place;
    this.inside = inside;
    this.source.seek(place);
  }

  settle(): PlaybackEnd {
    const end: PlaybackEnd = { reason: this.cut ?? "completed", heardMs: toMs(this.heardSamples) };
    if (this.bargedBy) end.bargedBy = this.bargedBy;
    this.end = end;
    this.paused = false;
    this.stretch = null;
    this.takenBack = null;
    this.#finished.resolve(end);
    this.source.close();
    return end;
  }

  status(nowNs: number): PlaybackStatus {
    const { options, source, end } = this;
    const inStretch = end ? 0 : heardInStretch(this.stretch, nowNs);
    const place = (this.stretch?.fromPlace ?? this.place) + inStretch;
    const once = source.soundSamples;
    const round =
      once && options.loop !== 1 ? Math.min(Math.floor(place / once), (options.loop || Infinity) - 1) : 0;
    return {
      playbackId: this.playbackId,
      line: this.line,
      state: end ? "finished" : this.paused ? "paused" : this.told ? "playing" : "waiting",
      mode: options.mode,
      awaits: this.awaits === "nothing" ? null : this.awaits,
      positionMs: toMs(place - round * (once ?? 0)),
      round: round + 1,
      soundMs: once === null ? null : toMs(once),
      durationMs: this.durationMs,
      loop: options.loop,
      gainDb: options.gainDb,
      bargeIn: options.bargeIn,
      seekable: !end && source.seekable,
      heardMs: toMs(this.heardSamples + inStretch),
      reason: end?.reason ?? null,
      bargedBy: end?.bargedBy ?? null,
    };
  }
}

/** By the clock, which the card's follows; never more than there was to hear. */
function heardInStretch(stretch: Stretch | null, nowNs: number): number {
  if (stretch === null || stretch.startedNs === null) return 0;
  const playedNs = (stretch.heldSinceNs ?? nowNs) - stretch.startedNs - stretch.heldNs;
  return Math.min(Math.max(0, Math.floor(playedNs / NS_PER_SAMPLE)), stretch.writtenSamples);
}

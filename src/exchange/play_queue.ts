/**
 * The playbacks of one lane, poured one after another without a gap into its native sample ring. Marks bound each
 * there, so that its start and end are told when they are heard and not when they were written. A flush empties
 * the lane; what is not to end by it is taken back, and poured again from where it was heard to, or is wanted.
 */
import { withGain } from "../audio/gain";
import type { PlayoutEnd } from "../driver/decode";
import type { PlayLane } from "../driver/play_lane";
import type { BargedBy, PlaybackEndReason } from "../line/state";
import type { PlaybackEntry, Stretch } from "./playback_entry";
import { SampleFeed } from "./sample_feed";
import { Refusal } from "./verbs";

export interface QueueNeeds {
  newMark: () => number;
  started: (entry: PlaybackEntry, atNs: number) => void;
  ended: (entry: PlaybackEntry, atNs: number) => void;
}

/** Why the driver ended it, in the words of the event; null: it ran its course. */
const CUTS: Record<PlayoutEnd, PlaybackEndReason | null> = {
  completed: null,
  flushed: "stopped",
  lost: "error",
  hung_up: "hung_up",
  barged_dtmf: "barged",
  barged_voice: "barged",
};
const BARGED_BY: Partial<Record<PlayoutEnd, BargedBy>> = { barged_dtmf: "dtmf", barged_voice: "voice" };

export class PlayQueue {
  #entries: PlaybackEntry[] = [];
  readonly #stretches = new Map<number, Stretch>();

  constructor(
    private readonly lane: PlayLane,
    private readonly needs: QueueNeeds,
  ) {}

  get entries(): readonly PlaybackEntry[] {
    return this.#entries;
  }

  push(entry: PlaybackEntry): void {
    this.#entries.push(entry);
    entry.source.whenReady(() => this.pour());
    this.pour();
  }

  /** Those in the lane end when the driver tells how much was heard of them, the others at once. */
  cut(entries: readonly PlaybackEntry[], reason: PlaybackEndReason): void {
    const inLane = entries.filter((entry) => entry.inLane);
    for (const entry of entries) entry.cut ??= reason;
    for (const entry of entries) if (!entry.inLane) this.#finish(entry, this.lane.nowNs());
    if (inLane.length > 0) this.#takeOut();
  }

  /** Only of what is seekable. */
  seek(entry: PlaybackEntry, place: number): void {
    if (entry.inLane) this.#flush({ entry, place });
    else entry.goTo(place, place > 0);
  }

  async hold(entry: PlaybackEntry, held: boolean): Promise<void> {
    entry.paused = held;
    try {
      await this.lane.hold(held);
    } catch {
      entry.paused = !held;
      throw new Refusal("driver_error", "The line took no command just now: see GET /ready, and try again.");
    }
    const nowNs = this.lane.nowNs();
    const { stretch } = entry;
    if (!stretch || stretch.startedNs === null) return;
    if (stretch.heldSinceNs !== null) stretch.heldNs += nowNs - stretch.heldSinceNs;
    stretch.heldSinceNs = held ? nowNs : null;
  }

  /** Writes as much as there is room for. */
  pour(): void {
    for (const entry of [...this.#entries]) {
      if (entry.cut) continue; // on its way out of the lane
      if (entry.awaits !== "nothing" || entry.takenBack) return;
      if (entry.poured) continue;
      try {
        entry.feed ??= this.#open(entry);
        entry.poured = entry.feed.pour();
        entry.failed = entry.feed.failed;
      } catch {
        // The engine takes no more: what was heard of it ends here, and so does what is queued behind it.
        this.#fail();
        return;
      }
      if (!entry.poured) return;
    }
  }

  started(mark: number, atNs: number): void {
    const stretch = this.#stretches.get(mark);
    if (!stretch) return;
    stretch.startedNs = atNs;
    const { entry } = stretch;
    if (!entry.told) {
      entry.told = true;
      this.needs.started(entry, atNs);
    }
  }

  done(mark: number, end: PlayoutEnd, heardSamples: number, atNs: number): void {
    const stretch = this.#stretches.get(mark);
    if (!stretch) return;
    this.#stretches.delete(mark);
    const { entry } = stretch;
    entry.heardSamples += heardSamples;
    const current = entry.stretch === stretch || entry.takenBack === stretch;
    if (!current && (entry.stretch || !entry.cut)) return; // sought meanwhile: the newer one decides
    const place = stretch.fromPlace + heardSamples;
    if (entry.takenBack === stretch && !entry.cut && end === "flushed") {
      entry.goTo(place, true);
    } else {
      entry.place = place;
      const by = BARGED_BY[end];
      if (by && !entry.cut) entry.bargedBy = by;
      entry.cut ??= CUTS[end] ?? (entry.failed ? "error" : null);
      this.#finish(entry, atNs);
      if (by) this.#barged(by);
    }
    // After the other ends the machine says what becomes of the queue.
    if (end === "completed" || end === "flushed") this.pour();
  }

  /** So are those behind it, up to the first that may not be. The lane is silent until it is flushed. */
  #barged(by: BargedBy): void {
    const lasting = this.#entries.findIndex((entry) => !bargeOn(entry)[by]);
    const behind = this.#entries.slice(0, lasting < 0 ? undefined : lasting);
    for (const entry of behind) {
      entry.cut ??= "barged";
      entry.bargedBy ??= by;
      if (!entry.inLane) this.#finish(entry, this.lane.nowNs());
    }
    this.#flush();
  }

  #open(entry: PlaybackEntry): SampleFeed {
    const mark = this.needs.newMark();
    const { lane } = this;
    const before = this.#entries.find((each) => each === entry || (each.stretch && !each.cut));
    const position = lane.position();
    const stretch: Stretch = {
      mark,
      entry,
      position,
      fromPlace: entry.place,
      writtenSamples: 0,
      startedNs: null,
      heldNs: 0,
      heldSinceNs: null,
    };
    entry.stretch = stretch;
    this.#stretches.set(mark, stretch);
    // Marks go ahead of the samples that they bound: see dshim_play_begin.
    void this.#mark(lane.begin(mark, position));
    const barge = bargeOn(entry);
    if (barge.dtmf || barge.voice) void lane.barge(mark, barge).catch(() => undefined); // it was over before
    return new SampleFeed(
      withGain(entry.source, entry.options.gainDb),
      (samples) => {
        const written = lane.write(samples);
        stretch.writtenSamples += written;
        return written;
      },
      (samplesToCome) => void this.#mark(lane.end(mark, lane.position() + samplesToCome)),
      before !== entry ? "seam" : entry.inside ? "inside" : "edge",
    );
  }

  /** A mark that the engine refuses (its command ring is full, or it was closed) ends the playback. */
  #mark(command: Promise<void>): Promise<void> {
    return command.catch(() => this.#fail());
  }

  /** All but what still waits for a lift. */
  #fail(): void {
    this.cut(
      this.#entries.filter(({ awaits }) => awaits !== "lift"),
      "error",
    );
  }

  /** Those that are cut. What is before the first of them goes on as if nothing were, what is behind comes after it. */
  #takeOut(): void {
    const inLane = this.#entries.filter((entry) => entry.inLane);
    const first = inLane.findIndex(({ cut }) => cut);
    const from = inLane[first]?.stretch?.position;
    if (first === 0 || from === undefined) {
      this.#flush();
      return;
    }
    const out = [...this.#stretches.values()].filter(({ position }) => position >= from);
    for (const entry of inLane.slice(first)) {
      if (!entry.source.rewindable) entry.cut ??= "error";
      if (entry.cut) continue;
      entry.takeBack();
      entry.goTo(entry.place, entry.inside); // not a sample of it was heard
    }
    const atNs = this.lane.nowNs();
    this.lane.skip(from).then(
      () => {
        this.#settle(out, atNs);
        this.pour();
      },
      () => this.#flush(), // its turn has come
    );
    this.pour();
  }

  /** Empties the lane. Of what stays, the sought one is poured again at once, the others when their place is known. */
  #flush(sought?: { entry: PlaybackEntry; place: number }): void {
    const flushed = [...this.#stretches.values()];
    for (const entry of this.#entries.filter(({ inLane }) => inLane)) {
      if (!entry.source.rewindable) entry.cut ??= "error";
      if (!entry.cut) entry.takeBack();
      if (entry === sought?.entry && !entry.cut) entry.goTo(sought.place, true);
    }
    const atNs = this.lane.nowNs();
    this.lane.flush().then(
      () => {
        this.#settle(flushed, atNs);
        this.pour();
      },
      () => {
        // A driver that is gone has nothing to flush; what it had is settled here.
        for (const { entry } of flushed) entry.cut ??= "error";
        this.#settle(flushed, atNs);
      },
    );
    this.pour();
  }

  /** Of these the driver has told all that there is to tell. */
  #settle(flushed: readonly Stretch[], atNs: number): void {
    for (const stretch of flushed) {
      const { entry, fromPlace } = stretch;
      if (!this.#stretches.delete(stretch.mark)) continue;
      const current = entry.stretch === stretch || entry.takenBack === stretch;
      if (current && entry.cut) this.#finish(entry, atNs);
      else if (current) entry.goTo(fromPlace, entry.inside);
    }
  }

  #finish(entry: PlaybackEntry, atNs: number): void {
    if (!this.#entries.includes(entry)) return;
    this.#entries = this.#entries.filter((each) => each !== entry);
    if (entry.paused) void this.lane.hold(false).catch(() => undefined);
    this.needs.ended(entry, atNs);
  }
}

const bargeOn = ({ options: { bargeIn } }: PlaybackEntry): Record<BargedBy, boolean> => ({
  dtmf: bargeIn === "dtmf" || bargeIn === "any",
  voice: bargeIn === "voice" || bargeIn === "any",
});

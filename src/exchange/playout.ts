/**
 * What one telephone is to hear: a queue of playbacks, poured one after another without a gap into the
 * line's native sample ring. Marks bound each playback there, so that its start and end are told when they
 * are heard and not when they were written.
 */
import type { PlayoutEnd } from "../driver/decode";
import type { PlayLane } from "../driver/play_lane";
import type { LineInput } from "../line/model";
import type { PlaybackEndReason } from "../line/state";
import { SampleFeed } from "./sample_feed";
import { type PcmSource, type Playback, Refusal } from "./verbs";

/** Bounds on what clients may leave waiting on one line. */
export const MAX_QUEUED_PLAYBACKS = 32;
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

const SAMPLES_PER_MS = 8;
const SAMPLE_BYTES = 2;

interface Entry {
  mark: number;
  playbackId: string;
  source: PcmSource;
  heldBytes: number;
  durationMs: number | null;
  awaits: "nothing" | "answer" | "lift";
  /** The line's own tone: no event tells it, and it gives way. */
  own: boolean;
  feed: SampleFeed | null;
  poured: boolean;
  /** Its samples could not be had to the end: what was had of them is heard. */
  failed: boolean;
  started: boolean;
  /** Why it is being cut short; null while it runs its course. */
  cut: PlaybackEndReason | null;
  settle: (end: { reason: PlaybackEndReason; heardMs: number }) => void;
}

/** Why the driver ended it, in the words of the event; null: it ran its course. */
const CUTS: Record<PlayoutEnd, PlaybackEndReason | null> = {
  completed: null,
  flushed: "stopped",
  lost: "error",
  hung_up: "hung_up",
  barged_dtmf: "stopped",
  barged_voice: "stopped",
};

export type PlaybackInput = Extract<LineInput, { type: "playback_started" | "playback_ended" }>;

export class Playout {
  #entries: Entry[] = [];
  #nextMark = 1;

  constructor(
    private readonly lane: PlayLane,
    private readonly newPlaybackId: () => string,
    private readonly tell: (input: PlaybackInput, atNs: number) => void,
  ) {}

  enqueue(source: PcmSource, awaits: Entry["awaits"]): Playback {
    const samples = source.samples;
    const heldBytes = source.heldBytes ?? (samples ?? 0) * SAMPLE_BYTES;
    const queuedBytes = this.#entries.reduce((sum, entry) => sum + entry.heldBytes, heldBytes);
    if (this.#entries.length >= MAX_QUEUED_PLAYBACKS || queuedBytes > MAX_QUEUED_BYTES) {
      throw new Refusal(
        "queue_full",
        "Too much waits to be played on this line: try again when some of it was heard.",
      );
    }
    const playbackId = this.newPlaybackId();
    const durationMs = samples === null ? null : Math.round(samples / SAMPLES_PER_MS);
    const { promise, resolve } = Promise.withResolvers<{ reason: PlaybackEndReason; heardMs: number }>();
    this.#entries.push({
      mark: this.#nextMark++,
      playbackId,
      source,
      heldBytes,
      durationMs,
      awaits,
      own: false,
      feed: null,
      poured: false,
      failed: false,
      started: false,
      cut: null,
      settle: resolve,
    });
    source.whenReady?.(() => this.pour());
    this.pour();
    return { playbackId, durationMs, bytes: samples === null ? null : samples * SAMPLE_BYTES, finished: promise };
  }

  /** The line's own tone, in the place of the one before; not heard where something is playing or about to. */
  startTone(source: PcmSource): void {
    this.stopTone();
    if (this.#entries.some((entry) => !entry.own && entry.awaits === "nothing")) return;
    this.#entries.push({
      mark: this.#nextMark++,
      playbackId: "",
      source,
      heldBytes: 0,
      durationMs: null,
      awaits: "nothing",
      own: true,
      feed: null,
      poured: false,
      failed: false,
      started: false,
      cut: null,
      settle: () => undefined,
    });
    this.pour();
  }

  stopTone(): void {
    const tone = this.#entries.find((entry) => entry.own && !entry.cut);
    if (tone) this.#cut([tone], "stopped");
  }

  /** The telephone was lifted: nothing waits for that any more. */
  start(): void {
    for (const entry of this.#entries) entry.awaits = "nothing";
    this.pour();
  }

  /** The ring ended unanswered. */
  cancelAwaitingAnswer(): void {
    this.#drop((entry) => entry.awaits === "answer", "cancelled");
  }

  /** Nobody hears it any more: drops all but what still waits for a lift. */
  end(reason: PlaybackEndReason): void {
    this.#cut(
      this.#entries.filter((entry) => entry.awaits !== "lift"),
      reason,
    );
  }

  /** Those that nobody has heard yet leave at once, the others when the driver tells how much was heard. */
  #cut(entries: readonly Entry[], reason: PlaybackEndReason): void {
    this.#drop((entry) => entries.includes(entry) && !entry.started, reason);
    const started = entries.filter((entry) => entry.started);
    for (const entry of started) entry.cut ??= reason;
    this.lane.flush().then(
      () => this.pour(), // what came meanwhile found the ring full
      () => {
        // A driver that is gone has nothing to flush; its marks are settled here.
        for (const entry of started) this.#finish(entry, 0, this.lane.nowNs());
      },
    );
  }

  /** Writes as much as there is room for. */
  pour(): void {
    for (const entry of this.#entries) {
      if (entry.awaits !== "nothing" || entry.cut) return;
      if (entry.poured) continue;
      try {
        entry.feed ??= this.#open(entry);
        entry.poured = entry.feed.pour();
        entry.failed = entry.feed.failed;
      } catch {
        // The engine takes no more: what was heard of it ends here, and so does what is queued behind it.
        this.end("error");
        return;
      }
      if (!entry.poured) return;
    }
  }

  started(mark: number, atNs: number): void {
    const entry = this.#entries.find((each) => each.mark === mark);
    if (!entry) return;
    entry.started = true;
    if (entry.own) return;
    const { playbackId, durationMs } = entry;
    this.tell({ type: "playback_started", atMs: 0, playbackId, durationMs }, atNs);
  }

  done(mark: number, end: PlayoutEnd, heardSamples: number, atNs: number): void {
    const entry = this.#entries.find((each) => each.mark === mark);
    if (!entry) return;
    entry.cut ??= CUTS[end] ?? (entry.failed ? "error" : null);
    this.#finish(entry, heardSamples / SAMPLES_PER_MS, atNs);
    // After the other ends the machine says what becomes of the queue.
    if (end === "completed" || end === "flushed") this.pour();
  }

  #open(entry: Entry): SampleFeed {
    // Marks go ahead of the samples that they bound: see dshim_play_begin.
    void this.#mark(this.lane.begin(entry.mark, this.lane.position()));
    return new SampleFeed(
      entry.source,
      (samples) => this.lane.write(samples),
      (samplesToCome) => void this.#mark(this.lane.end(entry.mark, this.lane.position() + samplesToCome)),
    );
  }

  /** A mark that the engine refuses (its command ring is full, or it was closed) ends the playback. */
  #mark(command: Promise<void>): Promise<void> {
    return command.catch(() => this.end("error"));
  }

  #finish(entry: Entry, heardMs: number, atNs: number): void {
    if (!this.#entries.includes(entry)) return;
    this.#entries = this.#entries.filter((each) => each !== entry);
    const end = { reason: entry.cut ?? ("completed" as const), heardMs: Math.round(heardMs) };
    if (!entry.own) this.tell({ type: "playback_ended", atMs: 0, playbackId: entry.playbackId, ...end }, atNs);
    entry.settle(end);
    entry.source.close?.();
  }

  /** Those that nobody has heard a sample of leave without an event. */
  #drop(which: (entry: Entry) => boolean, reason: PlaybackEndReason): void {
    const dropped = this.#entries.filter(which);
    this.#entries = this.#entries.filter((entry) => !which(entry));
    for (const entry of dropped) {
      entry.settle({ reason, heardMs: 0 });
      entry.source.close?.();
    }
  }
}

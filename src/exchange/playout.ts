/**
 * What one telephone is to hear: a queue of playbacks, sounds mixed over it, and the line's own tones, which give
 * way to both. Clients steer each playback by its id; what is over can be asked for a while.
 */
import { KeptSource } from "../audio/kept_source";
import { OVERLAYS } from "../driver/abi.gen";
import type { DriverEvent } from "../driver/decode";
import { QUEUE_LANE } from "../driver/play_lane";
import type { Port } from "../driver/port";
import type { LineInput } from "../line/model";
import type { PlaybackEndReason } from "../line/state";
import { PlayQueue, type QueueNeeds } from "./play_queue";
import {
  MAX_GAIN_DB,
  MAX_LOOPS,
  MIN_GAIN_DB,
  type Playback,
  type PlaybackStatus,
  type PlayOptions,
} from "./playback";
import { PlaybackBook } from "./playback_book";
import { PlaybackEntry, toMs, toSamples } from "./playback_entry";
import { type PcmSource, Refusal } from "./verbs";

/** Bounds on what clients may leave waiting on one line. */
export const MAX_QUEUED_PLAYBACKS = 32;
export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;

const SAMPLE_BYTES = 2;
const OWN_TONE = { when: "now", mode: "queue", loop: 1, gainDb: 0, bargeIn: "none" } as const;

export type PlaybackInput = Extract<
  LineInput,
  { type: "playback_started" | "playback_paused" | "playback_resumed" | "playback_ended" }
>;

export class Playout {
  readonly #queue: PlayQueue;
  /** At most one playback each. */
  readonly #overlays: readonly PlayQueue[];
  readonly #book = new PlaybackBook();
  #nextMark = 1;

  constructor(
    readonly line: number,
    private readonly port: Port,
    private readonly newPlaybackId: () => string,
    private readonly tell: (input: PlaybackInput, atNs: number) => void,
  ) {
    const needs: QueueNeeds = {
      newMark: () => this.#nextMark++,
      started: (entry, atNs) => this.#started(entry, atNs),
      ended: (entry, atNs) => this.#ended(entry, atNs),
    };
    this.#queue = new PlayQueue(port.lane(QUEUE_LANE), needs);
    this.#overlays = Array.from(
      { length: OVERLAYS },
      (_, i) => new PlayQueue(port.lane(QUEUE_LANE + 1 + i), needs),
    );
  }

  play(source: PcmSource, awaits: PlaybackEntry["awaits"], options: PlayOptions): Playback {
    const whole = { mode: "queue", loop: 1, gainDb: 0, bargeIn: "none", ...options } as const;
    checkOptions(whole);
    const kept = KeptSource.of(source);
    if (whole.loop !== 1) {
      if (!kept.whole) throw new Error("what is looped is gathered before");
      kept.repeat(whole.loop);
    }
    const entry = new PlaybackEntry(this.line, this.newPlaybackId(), kept, whole, awaits, false);
    const queue = whole.mode === "mix" ? this.#freeOverlay() : this.#queue;
    const replaced = whole.mode === "replace" ? queue.entries : [];
    this.#admit(entry, replaced);
    queue.cut(replaced, "replaced");
    queue.push(entry);
    const { samples } = kept;
    const bytes = samples === null ? null : samples * SAMPLE_BYTES;
    return { playbackId: entry.playbackId, durationMs: entry.durationMs, bytes, finished: entry.finished };
  }

  #freeOverlay(): PlayQueue {
    const free = this.#overlays.find(({ entries }) => entries.length === 0);
    if (free) return free;
    throw new Refusal("queue_full", `No more than ${OVERLAYS} sounds are mixed in at once: stop one of them.`);
  }

  #admit(entry: PlaybackEntry, replaced: readonly PlaybackEntry[]): void {
    const waiting = this.#clients.filter((each) => !replaced.includes(each));
    const bytes = waiting.reduce((sum, { source }) => sum + source.heldBytes, entry.source.heldBytes);
    if (waiting.length < MAX_QUEUED_PLAYBACKS && bytes <= MAX_QUEUED_BYTES) return;
    throw new Refusal(
      "queue_full",
      "Too much waits to be played on this line: try again when some of it was heard.",
    );
  }

  /** The line's own tone, in the place of the one before; not heard where something is playing or about to. */
  startTone(source: PcmSource): void {
    this.stopTone();
    if (this.#clients.some((entry) => entry.awaits === "nothing")) return;
    const kept = new KeptSource(source, { maxBytes: 0, later: () => undefined });
    this.#queue.push(new PlaybackEntry(this.line, "", kept, OWN_TONE, "nothing", true));
  }

  stopTone(): void {
    this.#queue.cut(
      this.#queue.entries.filter((entry) => entry.own && !entry.cut),
      "stopped",
    );
  }

  /** The telephone was lifted: nothing waits for that any more. */
  start(): void {
    for (const entry of this.#clients) entry.awaits = "nothing";
    for (const queue of this.#queues) queue.pour();
  }

  /** The ring ended unanswered. */
  cancelAwaitingAnswer(): void {
    this.#cut((entry) => entry.awaits === "answer", "cancelled");
  }

  /** Nobody hears it any more: drops all but what still waits for a lift. */
  end(reason: PlaybackEndReason): void {
    this.#cut((entry) => entry.awaits !== "lift", reason);
  }

  /** What is told of a talker's lane is not meant for here: it has no queue. */
  handle(event: DriverEvent): void {
    switch (event.kind) {
      case "play_started":
        this.#queues[event.lane]?.started(event.mark, event.atNs);
        break;
      case "play_done":
        this.#queues[event.lane]?.done(event.mark, event.end, event.heardSamples, event.atNs);
        break;
      case "play_low":
        this.#queues[event.lane]?.pour();
        break;
      default:
        break;
    }
  }

  /** What plays and waits, in its order, then what ended, the newest first. */
  list(): PlaybackStatus[] {
    const nowNs = this.port.nowNs();
    return [...this.#clients.map((entry) => entry.status(nowNs)), ...this.#book.ended];
  }

  find(playbackId: string): PlaybackStatus | null {
    const entry = this.#clients.find((each) => each.playbackId === playbackId);
    return entry?.status(this.port.nowNs()) ?? this.#book.find(playbackId);
  }

  async pause(playbackId: string): Promise<PlaybackStatus> {
    const { entry, queue } = this.#running(playbackId);
    if (!entry.heard || entry.paused) throw notPlaying(entry);
    await queue.hold(entry, true);
    return this.#moved(entry, "playback_paused");
  }

  async resume(playbackId: string): Promise<PlaybackStatus> {
    const { entry, queue } = this.#running(playbackId);
    if (!entry.paused)
      throw new Refusal("not_paused", "It is not paused: POST /playbacks/{playback_id}/pause does that.");
    await queue.hold(entry, false);
    return this.#moved(entry, "playback_resumed");
  }

  seek(playbackId: string, positionMs: number): PlaybackStatus {
    const { entry, queue } = this.#running(playbackId);
    const { source } = entry;
    if (!source.seekable) {
      throw new Refusal(
        "not_seekable",
        "Too long to be kept in memory, it is played as it arrives and cannot be rewound: play it anew.",
      );
    }
    const nowNs = this.port.nowNs();
    const once = source.soundSamples;
    if (once !== null && toSamples(positionMs) > once) {
      throw invalid("position_ms", `must not be more than the sound's length, ${toMs(once)} ms`);
    }
    const roundsBefore = entry.status(nowNs).round - 1;
    queue.seek(entry, roundsBefore * (once ?? 0) + toSamples(positionMs));
    return entry.status(nowNs);
  }

  async stop(playbackId: string): Promise<PlaybackStatus> {
    const { entry, queue } = this.#running(playbackId);
    queue.cut([entry], "stopped");
    await entry.finished;
    return entry.status(this.port.nowNs());
  }

  async stopAll(): Promise<PlaybackStatus[]> {
    const all = this.#clients;
    this.#cut((entry) => !entry.own, "stopped");
    await Promise.all(all.map(({ finished }) => finished));
    return all.map((entry) => entry.status(this.port.nowNs()));
  }

  /** By the number of their lanes. */
  get #queues(): readonly PlayQueue[] {
    return [this.#queue, ...this.#overlays];
  }

  get #clients(): PlaybackEntry[] {
    return this.#queues.flatMap(({ entries }) => entries.filter(({ own }) => !own));
  }

  #cut(which: (entry: PlaybackEntry) => boolean, reason: PlaybackEndReason): void {
    for (const queue of this.#queues) queue.cut(queue.entries.filter(which), reason);
  }

  /** Throws Refusal where it is over. */
  #running(playbackId: string): { entry: PlaybackEntry; queue: PlayQueue } {
    for (const queue of this.#queues) {
      const entry = queue.entries.find((each) => each.playbackId === playbackId && !each.cut);
      if (entry) return { entry, queue };
    }
    throw new Refusal("playback_finished", "It is over: GET /playbacks/{playback_id} tells how it ended.");
  }

  #moved(entry: PlaybackEntry, type: "playback_paused" | "playback_resumed"): PlaybackStatus {
    const nowNs = this.port.nowNs();
    const status = entry.status(nowNs);
    if (!entry.end)
      this.tell({ type, atMs: 0, playbackId: entry.playbackId, positionMs: status.positionMs }, nowNs);
    return status;
  }

  #started(entry: PlaybackEntry, atNs: number): void {
    if (entry.own) return;
    const { playbackId, durationMs } = entry;
    this.tell({ type: "playback_started", atMs: 0, playbackId, durationMs }, atNs);
  }

  /** Those that nobody has heard a sample of leave without an event. */
  #ended(entry: PlaybackEntry, atNs: number): void {
    const { playbackId, own, told } = entry;
    const end = entry.settle();
    if (own) return;
    this.#book.add(entry.status(atNs));
    if (told) this.tell({ type: "playback_ended", atMs: 0, playbackId, ...end }, atNs);
  }
}

function checkOptions({ loop, gainDb }: Required<PlayOptions>): void {
  if (!(gainDb >= MIN_GAIN_DB && gainDb <= MAX_GAIN_DB)) {
    throw invalid("gain_db", `must be from ${MIN_GAIN_DB} to ${MAX_GAIN_DB}`);
  }
  if (!(Number.isInteger(loop) && loop >= 0 && loop <= MAX_LOOPS)) {
    throw invalid("loop", `must be a whole number from 0 to ${MAX_LOOPS}`);
  }
}

const invalid = (field: string, message: string): Refusal =>
  new Refusal("invalid_input", `${field} ${message}.`, [{ field, message }]);

const notPlaying = ({ paused }: PlaybackEntry): Refusal =>
  new Refusal("not_playing", paused ? "It is paused already." : "It waits for its turn, and is not heard yet.");

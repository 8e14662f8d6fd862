/**
 * One who talks live into a line: what arrives in pieces of any size and at any moment goes into a lane of the line,
 * which the I/O thread empties by the card's clock. What does not fit there waits here, up to a bound.
 *
 *   talk ──▶ backlog ──▶ lane (jitter buffer) ──▶ ear          a mark is told when all before it has been heard
 */
import { TELEPHONE_RATE_HZ } from "../audio/source";
import type { PlayLane } from "../driver/play_lane";
import { SampleBacklog } from "./sample_backlog";
import { Refusal } from "./verbs";

const SAMPLES_PER_MS = TELEPHONE_RATE_HZ / 1000;

/** Silence until so much has come: two blocks bridge what a network and a busy client are late by. */
export const DEFAULT_TARGET_MS = 40;
/** Of who gives no bound of its own: an assistant speaks faster than it is heard. */
export const MAX_WAITING_MS = 30_000;
/** One behind every 20 ms of what may wait, as some bots have it. */
const MAX_MARKS = 1500;
const KEEP_ALL = 0;
/** Parts of the bound: above the first the client is asked to wait, below the second it may go on. */
const FULL_PART = 2 / 3;
const READY_PART = 1 / 3;

export interface TalkerStats {
  /** Accepted. */
  samplesIn: number;
  bufferedMs: number;
  /** Times that it ran dry in the middle of a sound. */
  underruns: number;
  /** Waited for too long. */
  droppedSamples: number;
}

interface Mark {
  id: number;
  name: string;
  /** In samples accepted since the last clear. */
  after: number;
  announced: boolean;
  heard: (name: string, cleared: boolean) => void;
}

export interface TalkerOptions {
  targetMs: number;
  /** What waits for longer is dropped, the oldest first; null: nothing is, and what comes beyond MAX_WAITING_MS is not taken. */
  maxMs: number | null;
  /** Too much waits: true; little again: false. */
  flow: (full: boolean) => void;
}

export class Talker {
  readonly #backlog = new SampleBacklog(MAX_WAITING_MS * SAMPLES_PER_MS);
  #marks: Mark[] = [];
  #nextMark = 1;
  /** Since the last clear: taken, and of those written into the lane. */
  #accepted = 0;
  #written = 0;
  #samplesIn = 0;
  #full = false;

  constructor(
    private readonly lane: PlayLane,
    private readonly options: TalkerOptions,
  ) {
    // A lane that the engine refuses is one of a line that is gone: line_down follows.
    lane.openTalk(options.targetMs, options.maxMs ?? KEEP_ALL).catch(() => undefined);
  }

  /** How many of them were taken. */
  talk(samples: Int16Array): number {
    const keeps = this.options.maxMs === null;
    const room = keeps ? MAX_WAITING_MS * SAMPLES_PER_MS - this.#waiting() : samples.length;
    const wanted = samples.subarray(0, Math.max(0, room));
    const fitted = this.#backlog.length === 0 ? this.lane.write(wanted) : 0;
    this.#written += fitted;
    const taken = fitted + (keeps ? this.#backlog.push(wanted.subarray(fitted)) : 0);
    this.#samplesIn += taken;
    this.#accepted += taken;
    this.#tellFlow();
    return taken;
  }

  /** As time goes by. */
  pour(): void {
    this.#written += this.#backlog.pour((samples) => this.lane.write(samples));
    this.#announceMarks();
    this.#tellFlow();
  }

  mark(name: string, heard: Mark["heard"]): void {
    if (this.#marks.length >= MAX_MARKS)
      throw new Refusal("queue_full", `${MAX_MARKS} marks wait already: await some.`);
    this.#marks.push({ id: this.#nextMark++, name, after: this.#accepted, announced: false, heard });
    this.#announceMarks();
  }

  /** A mark of the lane has been heard. */
  done(id: number): void {
    this.#settle(this.#sharing(id), false);
  }

  /** What waits is dropped; what is being heard fades. */
  clear(): void {
    this.#backlog.clear();
    this.#accepted = 0;
    this.#written = 0;
    this.lane.flush().catch(() => undefined);
    this.#settle(this.#marks, true);
    this.#tellFlow();
  }

  stats(): TalkerStats {
    const { underruns, droppedSamples } = this.lane.talkStats();
    return {
      samplesIn: this.#samplesIn,
      bufferedMs: this.#waiting() / SAMPLES_PER_MS,
      underruns,
      droppedSamples,
    };
  }

  close(): void {
    this.#settle(this.#marks, true);
    this.lane.closeTalk().catch(() => undefined);
  }

  /** In the lane. What was cleared just now still stands there. */
  #queued(): number {
    return Math.min(this.lane.talkStats().queuedSamples, this.#written);
  }

  #waiting(): number {
    return this.#backlog.length + this.#queued();
  }

  /** Not before its samples are in the lane: a clear drops those that the lane knows. */
  #announceMarks(): void {
    let before: Mark | null = null;
    for (const mark of this.#marks) {
      if (!mark.announced && mark.after <= this.#written) {
        mark.announced = true;
        // The lane has room for few: those at one place are one to it.
        if (before?.after === mark.after) mark.id = before.id;
        else this.#announce(mark.id, this.lane.position() - (this.#written - mark.after));
      }
      before = mark;
    }
  }

  #announce(id: number, position: number): void {
    this.lane.end(id, position).catch(() => this.#settle(this.#sharing(id), true));
  }

  #sharing(id: number): Mark[] {
    return this.#marks.filter((mark) => mark.id === id);
  }

  #settle(marks: readonly Mark[], cleared: boolean): void {
    this.#marks = this.#marks.filter((each) => !marks.includes(each));
    for (const { name, heard } of marks) heard(name, cleared);
  }

  #tellFlow(): void {
    const boundMs = this.options.maxMs ?? MAX_WAITING_MS;
    const waitingMs = this.#waiting() / SAMPLES_PER_MS;
    const full = this.#full ? waitingMs > boundMs * READY_PART : waitingMs > boundMs * FULL_PART;
    if (full === this.#full) return;
    this.#full = full;
    this.options.flow(full);
  }
}

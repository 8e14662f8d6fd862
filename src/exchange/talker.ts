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
/** Known to the lane at once, which has room for twice as many; a second of sound has 50 of those. */
const MAX_ANNOUNCED = 64;
const KEEP_ALL = 0;
/** So much fits in: of what waits there for longer than maxMs, it drops the oldest itself. */
const LANE_MS = 1000;
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
  /**
   * One clear at a time is on its way to the lane, and what is said behind it waits for that here: who clears without
   * end must not fill the ring of commands, which all lines share. due: it was not taken, and is to be sent again.
   */
  #clearing: "no" | "due" | "under_way" = "no";

  constructor(
    private readonly lane: PlayLane,
    private readonly options: TalkerOptions,
  ) {
    // A lane that the engine refuses is one of a line that is gone: line_down follows.
    lane.openTalk(options.targetMs, options.maxMs ?? KEEP_ALL).catch(() => undefined);
  }

  /** How many of them were taken. */
  talk(samples: Int16Array): number {
    const { maxMs } = this.options;
    const held = this.#clearing !== "no";
    const boundMs = maxMs === null ? MAX_WAITING_MS : LANE_MS;
    const room = maxMs === null || held ? boundMs * SAMPLES_PER_MS - this.#waiting() : samples.length;
    const wanted = samples.subarray(0, Math.max(0, room));
    const fitted = this.#backlog.length === 0 && !held ? this.lane.write(wanted) : 0;
    this.#written += fitted;
    const taken = fitted + (maxMs === null || held ? this.#backlog.push(wanted.subarray(fitted)) : 0);
    this.#samplesIn += taken;
    this.#accepted += taken;
    this.#tellFlow();
    return taken;
  }

  /** As time goes by. */
  pour(): void {
    if (this.#clearing === "due") this.#flush();
    if (this.#clearing !== "no") return;
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
    this.#announceMarks();
  }

  /** What waits is dropped; what is being heard fades. */
  clear(): void {
    this.#backlog.clear();
    // Nothing was written since the clear before, where that is still under way.
    const isInLane = this.#written > 0;
    this.#accepted = 0;
    this.#written = 0;
    if (isInLane) this.#flush();
    this.#settle(this.#marks, true);
    this.#tellFlow();
  }

  #flush(): void {
    this.#clearing = "under_way";
    this.lane.flush().then(
      () => {
        this.#clearing = "no";
        this.pour();
      },
      () => {
        this.#clearing = "due";
      },
    );
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
    this.#backlog.clear();
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
    if (this.#clearing !== "no") return;
    let before: Mark | null = null;
    let known = 0;
    for (const mark of this.#marks) {
      const isNew = before?.after !== mark.after;
      if (isNew) known++;
      if (!mark.announced) {
        if (mark.after > this.#written || known > MAX_ANNOUNCED) return;
        mark.announced = true;
        // The lane has room for few: those at one place are one to it.
        if (before && !isNew) mark.id = before.id;
        else this.#announce(mark.id, this.lane.position() - (this.#written - mark.after));
      }
      before = mark;
    }
  }

  /** What the engine does not take just now is announced later; a line that is gone ends it all. */
  #announce(id: number, position: number): void {
    this.lane.end(id, position).catch(() => {
      for (const mark of this.#sharing(id)) mark.announced = false;
    });
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

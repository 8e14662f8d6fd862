/**
 * One client's place in the log. Its queue is the log itself: a client that reads slowly falls behind, costs
 * nothing, and delays nobody; where the log no longer reaches back to it, one `gap` says what it lost. Who has
 * caught up is told with its audience.
 */
import type { Audience, Audiences, Member } from "./audiences";
import type { EventFilter } from "./bus";
import { passes } from "./bus";
import { type Gap, isGap, type LogEntry } from "./event_log";
import { cursor, type FrameFormat } from "./published";

export interface SubscriptionOptions {
  filter: EventFilter;
  format: FrameFormat;
  /** Replay what came after this id first; 0: all there is; null: only what comes from now on. */
  since: number | null;
}

export interface Frame {
  text: string;
  /** null: what is no event. */
  id: number | null;
}

/** Where frames go. */
export interface FrameSink {
  /** Hands frames to the transport in one write; it keeps what it cannot send at once. */
  send(frames: readonly Frame[]): void;
  /** True while the transport keeps more than it should: `resume` is called when that is over. */
  congested(): boolean;
}

/** Read from disk at once for one client. */
const PIECE_EVENTS = 200;
/** Handed over before the transport is asked whether it has enough. */
const WRITE_FRAMES = 64;

export const gapText = ({ from, to }: Gap): string =>
  JSON.stringify({ type: "gap", from: cursor(from), to: cursor(to) });

const sign = (type: "resync_required" | "caught_up"): Frame => ({ text: JSON.stringify({ type }), id: null });

export class Subscription implements Member {
  /** Where it is told as long as it keeps up; null while it is behind. */
  #audience: Audience | null = null;
  /** Behind: the last event that was sent, filtered out, or read into `#piece`. */
  #position: number;
  /** Read from disk and not yet sent; `#pieceAt` is the next of it. */
  #piece: LogEntry[] = [];
  #pieceAt = 0;
  #reading = false;
  #closed = false;
  /** Said once, when the replay has reached the present. */
  #owesCaughtUp: boolean;

  constructor(
    private readonly audiences: Audiences,
    readonly sink: FrameSink,
    private readonly options: SubscriptionOptions,
  ) {
    const { log } = audiences;
    const since = options.since === 0 ? log.reachesFrom : options.since;
    const resync = since !== null && !log.reaches(since);
    this.#position = since === null || resync ? log.bus.lastId : since;
    this.#owesCaughtUp = since !== null && !resync;
    if (resync) sink.send([sign("resync_required")]);
    this.resume();
  }

  /** Everything up to this id was sent or is not wanted; null while there is something to send. */
  get position(): number | null {
    if (this.#audience) return this.#audience.toldId;
    return this.#pieceAt < this.#piece.length || this.#reading ? null : this.#position;
  }

  /** Goes on as far as the transport takes it. */
  resume(): void {
    const { bus } = this.audiences.log;
    while (!this.#closed && !this.#reading && !this.#audience && !this.sink.congested()) {
      const frames = this.#next();
      if (frames.length > 0) this.sink.send(frames);
      else if (!bus.reaches(this.#position)) void this.#readOn();
      else this.#join();
    }
  }

  /** None: memory and what was read from disk have no more, or no longer reach back. */
  #next(): Frame[] {
    const { bus } = this.audiences.log;
    const { filter, format } = this.options;
    const frames: Frame[] = [];
    while (frames.length < WRITE_FRAMES) {
      const entry = this.#piece[this.#pieceAt];
      if (entry) {
        this.#pieceAt++;
        frames.push(
          isGap(entry) ? { text: gapText(entry), id: null } : { text: entry.text(format), id: entry.id },
        );
        continue;
      }
      if (this.#position === bus.lastId || !bus.reaches(this.#position)) break;
      const event = bus.at(++this.#position);
      if (event && passes(filter, event)) frames.push({ text: event.text(format), id: event.id });
    }
    if (this.#owesCaughtUp && this.#position === bus.lastId && this.#pieceAt === this.#piece.length) {
      this.#owesCaughtUp = false;
      frames.push(sign("caught_up"));
    }
    return frames;
  }

  #join(): void {
    this.#piece = [];
    this.#pieceAt = 0;
    this.#audience = this.audiences.join(this, this.options.filter, this.options.format);
  }

  goOnAfter(id: number): void {
    this.#audience = null;
    this.#position = id;
    this.resume();
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    const { log } = this.audiences;
    const { entries, next } = await log.readArchive(this.#position, PIECE_EVENTS, this.options.filter);
    // A long replay gives everybody else a turn after each piece.
    await new Promise((resolve) => setImmediate(resolve));
    this.#reading = false;
    this.#piece = entries;
    this.#pieceAt = 0;
    this.#position = next;
    this.resume();
  }

  close(): void {
    this.#closed = true;
    this.#piece = [];
    this.#pieceAt = 0;
    if (this.#audience) this.audiences.leave(this, this.#audience);
    this.#audience = null;
  }
}

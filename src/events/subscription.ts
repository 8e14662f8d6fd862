/**
 * One client's place in the log. Its queue is the log itself: a client that reads slowly falls behind, costs
 * nothing, and delays nobody; where the log no longer reaches back to it, one `gap` says what it lost.
 */
import type { EventFilter } from "./bus";
import { passes } from "./bus";
import { type EventLog, type Gap, isGap, type LogEntry } from "./event_log";
import { cursor, type FrameFormat } from "./published";

export interface SubscriptionOptions {
  filter: EventFilter;
  format: FrameFormat;
  /** Replay what came after this id first; 0: all there is; null: only what comes from now on. */
  since: number | null;
}

/** Where frames go. */
export interface FrameSink {
  /** Hands a frame to the transport, which keeps it if it cannot send it at once. id: null for what is no event. */
  send(text: string, id: number | null): void;
  /** True while the transport keeps more than it should: `resume` is called when that is over. */
  congested(): boolean;
  /** What `sendAll` sends may go out in one write. */
  together(sendAll: () => void): void;
}

/** Read from disk at once for one client. */
const PIECE_EVENTS = 200;

export const gapText = ({ from, to }: Gap): string =>
  JSON.stringify({ type: "gap", from: cursor(from), to: cursor(to) });

export class Subscription {
  /** The last event that was sent, filtered out, or read into `#piece`. */
  #position: number;
  /** Read from disk and not yet sent; `#pieceAt` is the next of it. */
  #piece: LogEntry[] = [];
  #pieceAt = 0;
  #reading = false;
  #closed = false;
  /** Said once, when the replay has reached the present. */
  #owesCaughtUp: boolean;
  readonly #stopListening: () => void;

  constructor(
    private readonly log: EventLog,
    private readonly sink: FrameSink,
    private readonly options: SubscriptionOptions,
  ) {
    const { bus } = log;
    const since = options.since === 0 ? log.reachesFrom : options.since;
    const resync = since !== null && !log.reaches(since);
    this.#position = since === null || resync ? bus.lastId : since;
    this.#owesCaughtUp = since !== null && !resync;
    if (resync) sink.send(JSON.stringify({ type: "resync_required" }), null);
    this.#stopListening = bus.follow(() => this.resume());
    this.resume();
  }

  /** Everything up to this id was sent or is not wanted; null while there is something to send. */
  get position(): number | null {
    return this.#pieceAt < this.#piece.length || this.#reading ? null : this.#position;
  }

  /** Sends as much as the transport takes. Called for every event and when the transport has room again. */
  resume(): void {
    const waiting = this.log.bus.lastId - this.#position + this.#piece.length - this.#pieceAt;
    if (waiting > 1) this.sink.together(() => this.#sendAll());
    else this.#sendAll();
  }

  #sendAll(): void {
    const { bus } = this.log;
    while (!this.#closed && !this.#reading && !this.sink.congested()) {
      if (this.#pieceAt < this.#piece.length) {
        this.#send(this.#piece[this.#pieceAt++] as LogEntry);
        continue;
      }
      if (this.#position === bus.lastId) {
        if (this.#owesCaughtUp) this.sink.send(JSON.stringify({ type: "caught_up" }), null);
        this.#owesCaughtUp = false;
        return;
      }
      if (!bus.reaches(this.#position)) {
        void this.#readOn();
        return;
      }
      const event = bus.at(++this.#position);
      if (event && passes(this.options.filter, event)) this.#send(event);
    }
  }

  #send(entry: LogEntry): void {
    if (isGap(entry)) this.sink.send(gapText(entry), null);
    else this.sink.send(entry.text(this.options.format), entry.id);
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    const { entries, next } = await this.log.readArchive(this.#position, PIECE_EVENTS, this.options.filter);
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
    this.#stopListening();
  }
}

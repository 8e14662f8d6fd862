/**
 * One client's place in the log. Its queue is the log itself: a client that reads slowly falls behind, costs
 * nothing, and delays nobody; where the log no longer reaches back to it, one `gap` says what it lost.
 */
import type { EventBus, EventFilter } from "./bus";
import { passes } from "./bus";
import { cursor, type FrameFormat } from "./published";

export interface SubscriptionOptions {
  filter: EventFilter;
  format: FrameFormat;
  /** Replay what came after this id first; null: only what comes from now on. */
  since: number | null;
}

/** Where frames go. */
export interface FrameSink {
  /** Hands a frame to the transport, which keeps it if it cannot send it at once. */
  send(text: string): void;
  /** True while the transport keeps more than it should: `resume` is called when that is over. */
  congested(): boolean;
}

export class Subscription {
  /** The last event that was sent or filtered out. */
  #position: number;
  /** Said once, when the replay has reached the present. */
  #owesCaughtUp: boolean;
  readonly #stopListening: () => void;

  constructor(
    private readonly bus: EventBus,
    private readonly sink: FrameSink,
    private readonly options: SubscriptionOptions,
  ) {
    const { since } = options;
    const resync = since !== null && !bus.reaches(since);
    this.#position = since === null || resync ? bus.lastId : since;
    this.#owesCaughtUp = since !== null && !resync;
    if (resync) sink.send(JSON.stringify({ type: "resync_required" }));
    this.#stopListening = bus.listen(() => this.resume());
    this.resume();
  }

  /** Sends as much as the transport takes. Called for every event and when the transport has room again. */
  resume(): void {
    while (!this.sink.congested()) {
      if (this.#position === this.bus.lastId) {
        if (this.#owesCaughtUp) this.sink.send(JSON.stringify({ type: "caught_up" }));
        this.#owesCaughtUp = false;
        return;
      }
      const oldest = this.bus.oldestId;
      if (this.#position < oldest - 1) {
        const gap = { type: "gap", from: cursor(this.#position + 1), to: cursor(oldest - 1) };
        this.#position = oldest - 1;
        this.sink.send(JSON.stringify(gap));
        continue;
      }
      const event = this.bus.at(++this.#position);
      if (event && passes(this.options.filter, event)) this.sink.send(event.text(this.options.format));
    }
  }

  close(): void {
    this.#stopListening();
  }
}

/**
 * The one place where events get their order: an id each, times that never run backwards on a line, and a
 * bounded log in memory of the newest. What is older is in the archive: event_log.ts looks at both.
 */
import { type LineEventBody, type LineEventType, OPT_IN_EVENT_TYPES } from "../line/events";
import { PublishedEvent } from "./published";

export interface EventFilter {
  /** null: all but those that are told only to who names them. */
  types: ReadonlySet<LineEventType> | null;
  lines: readonly number[] | null;
}

export const passes = (filter: EventFilter, event: PublishedEvent): boolean =>
  (filter.lines === null || filter.lines.includes(event.line)) &&
  (filter.types === null ? !OPT_IN_EVENT_TYPES.includes(event.body.type) : filter.types.has(event.body.type));

export class EventBus {
  #log: PublishedEvent[] = [];
  /** Index of the oldest in the ring `#log`, once it is full. */
  #oldest = 0;
  #firstId = 1;
  #lastId = 0;
  readonly #lastAtMs = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  readonly #followers = new Set<() => void>();
  #followersAreDue = false;
  #toldId = 0;

  #beginNow: () => void = () => undefined;
  /** Settles when ids can be given. */
  readonly begun: Promise<void>;
  #hasBegun = false;

  constructor(
    /** Ids grow from here; null: not known before `begin`. */
    firstId: number | null,
    /** Events kept. */
    readonly capacity: number,
  ) {
    this.begun = new Promise((resolve) => {
      this.#beginNow = resolve;
    });
    if (firstId !== null) this.begin(firstId);
  }

  /** Before the first event: firstId is greater than any id of an earlier process. */
  begin(firstId: number): void {
    this.#firstId = firstId;
    this.#lastId = firstId - 1;
    this.#hasBegun = true;
    this.#beginNow();
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Ids jump, because greater ones turn out to be taken; what was kept cannot be reached any more. */
  continueFrom(firstId: number): void {
    this.#log = [];
    this.#oldest = 0;
    this.begin(firstId);
  }

  publish(line: number, atMs: number, nativeNs: number, body: LineEventBody): PublishedEvent {
    const orderedAtMs = Math.max(atMs, this.#lastAtMs.get(line) ?? 0);
    this.#lastAtMs.set(line, orderedAtMs);
    // What followers were not told of yet must not be overwritten.
    if (this.#followersAreDue && this.#lastId - this.#toldId === this.capacity) this.#tellFollowers();
    const event = new PublishedEvent(++this.#lastId, line, orderedAtMs, nativeNs, body);
    if (this.#log.length < this.capacity) {
      this.#log.push(event);
    } else {
      this.#log[this.#oldest] = event;
      this.#oldest = (this.#oldest + 1) % this.capacity;
    }
    for (const listener of this.#listeners) listener();
    if (!this.#followersAreDue) {
      this.#followersAreDue = true;
      this.#toldId = event.id - 1;
      queueMicrotask(() => this.#tellFollowers());
    }
    return event;
  }

  #tellFollowers(): void {
    if (!this.#followersAreDue) return;
    this.#followersAreDue = false;
    for (const follower of this.#followers) follower();
  }

  /** Calls the listener for every event from now on; returns how to stop that. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls the follower once for all that was published together, as soon as the last of it was. What one drain of the
   * driver brings goes out to a thousand clients in one write each.
   */
  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** The first of this process. */
  get firstId(): number {
    return this.#firstId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  /** The oldest id that is still kept; lastId + 1 when nothing is. */
  get oldestId(): number {
    return this.#lastId - this.#log.length + 1;
  }

  /** The event of an id that is kept. */
  at(id: number): PublishedEvent | undefined {
    const offset = id - this.oldestId;
    if (offset < 0 || offset >= this.#log.length) return undefined;
    return this.#log[(this.#oldest + offset) % this.#log.length];
  }

  /** Is everything after this id still kept here? */
  reaches(id: number): boolean {
    return id >= this.oldestId - 1 && id >= this.#firstId - 1 && id <= this.#lastId;
  }
}

/**
 * The one place where events get their order: an id each, times that never run backwards on a line, and a
 * bounded log that serves replay, polling and slow clients alike.
 */
import type { LineEventBody, LineEventType } from "../line/events";
import { PublishedEvent } from "./published";

export interface EventFilter {
  /** null: all. */
  types: ReadonlySet<LineEventType> | null;
  line: number | null;
}

export const passes = (filter: EventFilter, event: PublishedEvent): boolean =>
  (filter.line === null || filter.line === event.line) &&
  (filter.types === null || filter.types.has(event.body.type));

export interface LogPage {
  events: PublishedEvent[];
  /** Ask for what came after this. */
  next: number;
  /** False: events between the id asked for and the first one given are no longer kept, or never were here. */
  reachesBack: boolean;
}

export class EventBus {
  readonly #log: PublishedEvent[] = [];
  /** Index of the oldest in the ring `#log`, once it is full. */
  #oldest = 0;
  #lastId: number;
  readonly #lastAtMs = new Map<number, number>();
  readonly #listeners = new Set<(event: PublishedEvent) => void>();

  constructor(
    /** Ids grow from here; greater than any id of an earlier process. */
    private readonly firstId: number,
    /** Events kept. */
    private readonly capacity: number,
  ) {
    this.#lastId = firstId - 1;
  }

  publish(line: number, atMs: number, nativeNs: number, body: LineEventBody): PublishedEvent {
    const orderedAtMs = Math.max(atMs, this.#lastAtMs.get(line) ?? 0);
    this.#lastAtMs.set(line, orderedAtMs);
    const event = new PublishedEvent(++this.#lastId, line, orderedAtMs, nativeNs, body);
    if (this.#log.length < this.capacity) {
      this.#log.push(event);
    } else {
      this.#log[this.#oldest] = event;
      this.#oldest = (this.#oldest + 1) % this.capacity;
    }
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  /** Calls the listener for every event from now on; returns how to stop that. */
  listen(listener: (event: PublishedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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

  /** null: from the oldest that is kept, whatever was before. */
  page(since: number | null, limit: number, filter: EventFilter): LogPage {
    const reachesBack = since === null || this.reaches(since);
    const events: PublishedEvent[] = [];
    let next = since !== null && reachesBack ? since : this.oldestId - 1;
    while (next < this.#lastId && events.length < limit) {
      const event = this.at(++next);
      if (event && passes(filter, event)) events.push(event);
    }
    return { events, next, reachesBack };
  }

  /** Is everything after this id still kept? */
  reaches(id: number): boolean {
    return id >= this.oldestId - 1 && id >= this.firstId - 1 && id <= this.#lastId;
  }
}

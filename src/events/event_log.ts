/**
 * All events that are kept, wherever: the newest in memory, what is older in the archive on disk. Where neither
 * has them the log says so, as a gap; it never passes over them in silence.
 */
import { type EventBus, type EventFilter, passes } from "./bus";
import type { PublishedEvent } from "./published";

/** Ids, both included, whose events are lost or, after a crash, may be. */
export interface Gap {
  from: number;
  to: number;
}

export type LogEntry = PublishedEvent | Gap;
export const isGap = (entry: LogEntry): entry is Gap => "from" in entry;

/** A piece of the log in its order. */
export interface LogPiece {
  entries: LogEntry[];
  /** All up to this id was looked at: go on from here. */
  next: number;
}

/** Events on disk. Nothing of it is needed to deliver what happens now. */
export interface Archive {
  /** Every event after this id is in it, or known as a gap; null while there is no archive. */
  readonly reachesFrom: number | null;
  /** Did an event ever have this id, as far as can be told? */
  mayHaveGiven(id: number): boolean;
  /** At most `limit` entries after this id that pass. Does not fail: a disk that cannot be read has nothing. */
  read(after: number, limit: number, filter: EventFilter): Promise<LogPiece>;
  /** At most `limit` of the newest up to this id that pass, oldest first; all after `next` was looked at. */
  readBack(upTo: number, limit: number, filter: EventFilter): Promise<LogPiece>;
}

export interface LogPage extends LogPiece {
  /** False: events between the id asked for and the last one given are no longer kept, or never were here. */
  complete: boolean;
}

export class EventLog {
  constructor(
    readonly bus: EventBus,
    private readonly archive: Archive | null = null,
  ) {}

  /** Everything after this id is kept. */
  get reachesFrom(): number {
    return this.archive?.reachesFrom ?? this.bus.oldestId - 1;
  }

  /** Is everything after this id kept, or known as a gap? */
  reaches(id: number): boolean {
    if (this.bus.reaches(id)) return true;
    const from = this.archive?.reachesFrom ?? null;
    return from !== null && id >= from && id <= this.bus.lastId && this.archive?.mayHaveGiven(id) === true;
  }

  /** What came after an id that memory does not reach back to. */
  async readArchive(after: number, limit: number, filter: EventFilter): Promise<LogPiece> {
    const piece = await this.archive?.read(after, limit, filter);
    if (piece && piece.next > after) return piece;
    // Not there either: what memory still has comes after a gap.
    const next = this.bus.oldestId - 1;
    return next > after ? { entries: [{ from: after + 1, to: next }], next } : { entries: [], next: after };
  }

  /** The newest that pass, oldest first; not complete where between them events are lost. */
  async newest(limit: number, filter: EventFilter): Promise<LogPage> {
    const { bus, archive } = this;
    const upTo = bus.lastId;
    const recent: LogEntry[] = [];
    let at = upTo;
    for (; recent.length < limit && at >= bus.oldestId; at--) {
      const event = bus.at(at);
      if (event && passes(filter, event)) recent.push(event);
    }
    let entries = recent.reverse();
    while (archive && entries.length < limit && at > this.reachesFrom) {
      const older = await archive.readBack(at, limit - entries.length, filter);
      if (older.next >= at) break; // the disk does not answer
      entries = [...older.entries, ...entries];
      at = older.next;
    }
    return { entries, next: upTo, complete: !entries.some(isGap) };
  }

  /** since null: from the oldest that is kept, whatever was before. */
  async page(since: number | null, limit: number, filter: EventFilter): Promise<LogPage> {
    const { bus } = this;
    const reached = since === null || this.reaches(since);
    const page: LogPage = {
      entries: [],
      next: since !== null && reached ? since : this.reachesFrom,
      complete: reached,
    };
    while (page.next < bus.lastId && page.entries.length < limit) {
      if (bus.reaches(page.next)) {
        const event = bus.at(++page.next);
        if (event && passes(filter, event)) page.entries.push(event);
        continue;
      }
      const { entries, next } = await this.readArchive(page.next, limit - page.entries.length, filter);
      page.entries.push(...entries);
      page.next = next;
    }
    page.complete &&= !page.entries.some(isGap);
    return page;
  }
}

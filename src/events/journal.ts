/**
 * Follows the bus onto the disk, a batch at a time, by a thread of its own: delivery never waits for it. Where the
 * disk fails, events stay in memory; the journal tries again, and what memory lost meanwhile becomes a gap.
 */
import type { EventBus, EventFilter } from "./bus";
import type { Archive, Gap, LogPiece } from "./event_log";
import type { FromLogThread, StoreState, ToLogThread } from "./log_messages";
import type { StoredPiece, StoredRow } from "./log_pieces";
import type { StoreOptions } from "./log_store";
import { ReaderCursors } from "./reader_cursors";
import { merged, rowOf } from "./stored_rows";

export interface LogThread {
  post(message: ToLogThread): void;
  end(): void;
}

export interface JournalDependencies {
  bus: EventBus;
  store: StoreOptions;
  /** A thread; `ended` is called if it dies by itself. */
  startThread(hear: (message: FromLogThread) => void, ended: (why: string) => void): LogThread;
  nowMs(): number;
  /** Calls once after `ms`, unless the function that it returns was called before. */
  after(ms: number, call: () => void): () => void;
  log: {
    info(message: string, fields?: Record<string, string | number>): void;
    warning(message: string, fields?: Record<string, string | number>): void;
  };
}

/** An event is on its way to the disk this much later at the latest: what kill -9 can cost. */
export const BATCH_MS = 100;
/** Or when so many have come. */
const BATCH_EVENTS = 256;
/** On their way at once; more than this wait in the bus. */
const MAX_IN_FLIGHT_EVENTS = 16_384;
/** How far the webhooks are need not be told at once: a crash only makes them send twice. */
const CURSOR_MS = 1000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 60_000;
const OPEN_LIMIT_MS = 3000;
const CLOSE_LIMIT_MS = 500;

export interface JournalStatus {
  storage: "disk" | "memory";
  /** Why it is memory. */
  problem: string | null;
  /** In memory and not yet written. */
  waiting_events: number;
  oldest_id: string;
  newest_id: string;
  used_bytes: number | null;
  /** A log that could not be read, since this process began: the newest such. */
  set_aside: { renamed_to: string; problem: string } | null;
}

type Opened = Extract<FromLogThread, { told: "opened" }>;

export class Journal implements Archive {
  #thread: LogThread | null = null;
  /** Of the thread, as last heard; null while no log is open. */
  #state: StoreState | null = null;
  #problem: string | null = null;
  /** The last id that was handed to the thread. */
  #sent = 0;
  #retryMs = RETRY_MIN_MS;
  #retrying = false;
  /** The thread was asked to, and has not answered. */
  #opening = false;
  #cancelBatch: (() => void) | null = null;
  #cancelCursors: (() => void) | null = null;
  #neverGiven: readonly Gap[] = [];
  #setAside: JournalStatus["set_aside"] = null;
  readonly cursors = new ReaderCursors(() => {
    this.#cancelCursors ??= this.dependencies.after(CURSOR_MS, () => {
      this.#cancelCursors = null;
      this.#flush();
    });
  });
  readonly #reads = new Map<number, (piece: StoredPiece | null) => void>();
  #ticket = 0;
  /** Well before memory has no room for what is not written yet. */
  readonly #batchEvents: number;
  #closed: (() => void) | null = null;

  constructor(private readonly dependencies: JournalDependencies) {
    this.#batchEvents = Math.min(BATCH_EVENTS, dependencies.bus.capacity / 2);
  }

  /** Opens the log; the bus begins when that is done, or cannot be. */
  start(): void {
    const { dependencies } = this;
    this.#startThread();
    this.#open();
    // A disk that does not answer holds up nothing.
    const cancel = dependencies.after(OPEN_LIMIT_MS, () => {
      if (this.#state === null && this.#problem === null) this.#trouble("the disk does not answer");
      this.#beginWithout();
    });
    void dependencies.bus.begun.then(cancel);
    dependencies.bus.listen(() => this.#published());
  }

  get reachesFrom(): number | null {
    return this.#state?.reachesFrom ?? null;
  }

  mayHaveGiven(id: number): boolean {
    return !this.#neverGiven.some(({ from, to }) => id >= from && id <= to);
  }

  status(): JournalStatus {
    const { bus } = this.dependencies;
    return {
      storage: this.#state !== null && this.#problem === null ? "disk" : "memory",
      problem: this.#problem,
      waiting_events: bus.lastId - Math.max(this.#state?.position ?? 0, bus.oldestId - 1),
      oldest_id: String((this.reachesFrom ?? bus.oldestId - 1) + 1),
      newest_id: String(bus.lastId),
      used_bytes: this.#state?.usedBytes ?? null,
      set_aside: this.#setAside,
    };
  }

  read(after: number, limit: number, filter: EventFilter): Promise<LogPiece> {
    return this.#ask("after", after, limit, filter);
  }

  readBack(upTo: number, limit: number, filter: EventFilter): Promise<LogPiece> {
    return this.#ask("up to", upTo, limit, filter);
  }

  /** Nothing where the disk has none: `next` is then the id that was asked about. */
  #ask(which: "after" | "up to", id: number, limit: number, filter: EventFilter): Promise<LogPiece> {
    if (this.#state === null || this.#thread === null) return Promise.resolve({ entries: [], next: id });
    // What waits for the thread comes before the question.
    this.#flush();
    const ticket = ++this.#ticket;
    const types = filter.types === null ? null : [...filter.types];
    return new Promise((resolve) => {
      this.#reads.set(ticket, (piece) => resolve(piece ? merged(piece) : { entries: [], next: id }));
      this.#thread?.post({ do: "read", ticket, which, id, limit, filter: { types, lines: filter.lines } });
    });
  }

  /** All that was published goes to the disk, if it takes it. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#flush();
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      thread.post({ do: "close" });
      this.dependencies.after(CLOSE_LIMIT_MS, resolve);
    });
    this.#state = null;
    thread.end();
  }

  #startThread(): void {
    this.#thread = this.dependencies.startThread(
      (message) => this.#heard(message),
      (why) => {
        this.#thread = null;
        this.#state = null;
        this.#opening = false;
        for (const answer of this.#reads.values()) answer(null);
        this.#reads.clear();
        this.#trouble(`the log's thread ended: ${why}`);
        this.#beginWithout();
      },
    );
  }

  #open(): void {
    const { bus, store, nowMs } = this.dependencies;
    this.#opening = true;
    const inMemory = bus.hasBegun ? { firstId: bus.firstId, oldestId: bus.oldestId } : null;
    this.#thread?.post({ do: "open", options: store, request: { nowUs: Math.trunc(nowMs() * 1000), inMemory } });
  }

  /** Ids are needed, whether there is a disk or not. */
  #beginWithout(): void {
    const { bus, nowMs } = this.dependencies;
    if (!bus.hasBegun) bus.begin(Math.trunc(nowMs() * 1000));
  }

  #heard(message: FromLogThread): void {
    if (message.told === "opened") this.#opened(message);
    else if (message.told === "failed") this.#failed(message);
    else if (message.told === "closed") this.#closed?.();
    else if (message.told === "piece") {
      this.#reads.get(message.ticket)?.(message.piece);
      this.#reads.delete(message.ticket);
    } else {
      this.#state = message.state;
      if (message.told !== "written") return;
      if (this.#problem !== null) this.#recovered();
      this.#flushFull();
    }
  }

  #failed({ problem, closed, position }: Extract<FromLogThread, { told: "failed" }>): void {
    this.#opening = false;
    if (closed) this.#state = null;
    // What was sent after the failure was not taken.
    this.#sent = position;
    this.cursors.changeAll();
    this.#trouble(problem);
    this.#beginWithout();
  }

  #opened({ setAside, ...found }: Omit<Opened, "told">): void {
    const { bus, log } = this.dependencies;
    this.#opening = false;
    if (setAside !== null) {
      this.#setAside = { renamed_to: setAside.name, problem: setAside.problem };
      const what = "the event log cannot be read: it was set aside, and a fresh one begun";
      log.warning(what, this.#setAside);
    }
    // It was asked before memory began without it: now it learns where.
    if (bus.hasBegun && found.firstId < bus.firstId) this.#open();
    else this.#usable(found);
  }

  #usable({ firstId, state, cursors, neverGiven }: Omit<Opened, "setAside" | "told">): void {
    const { bus } = this.dependencies;
    this.#state = state;
    this.#neverGiven = neverGiven;
    this.#sent = state.position;
    this.cursors.found(cursors, this.#setAside !== null);
    if (!bus.hasBegun) bus.begin(firstId);
    // The clock went back while the log could not be opened: ids as great as ours are in it.
    else if (firstId > bus.firstId) bus.continueFrom(Math.max(firstId, bus.lastId + 1));
    if (this.#problem !== null) this.#recovered();
    else this.#flush();
  }

  #trouble(problem: string): void {
    if (problem !== this.#problem) {
      this.dependencies.log.warning("the event log is in memory only: events do not outlive this process", {
        problem,
      });
    }
    this.#problem = problem;
    if (this.#retrying) return;
    this.#retrying = true;
    this.dependencies.after(this.#retryMs, () => this.#retry());
    this.#retryMs = Math.min(RETRY_MAX_MS, this.#retryMs * 2);
  }

  #retry(): void {
    this.#retrying = false;
    if (this.#closed) return;
    if (this.#thread === null) this.#startThread();
    if (this.#state !== null) this.#flush(true);
    else if (!this.#opening) this.#open();
  }

  #recovered(): void {
    this.#problem = null;
    this.#retryMs = RETRY_MIN_MS;
    this.dependencies.log.info("the event log is on disk again");
    this.#flush();
  }

  #published(): void {
    if (this.dependencies.bus.lastId - this.#sent >= this.#batchEvents) this.#flushFull();
    else
      this.#cancelBatch ??= this.dependencies.after(BATCH_MS, () => {
        this.#cancelBatch = null;
        this.#flush();
      });
  }

  #flushFull(): void {
    if (this.dependencies.bus.lastId - this.#sent >= this.#batchEvents) this.#flush();
  }

  /** Hands to the thread what it does not have. retry: even if it failed the last time. */
  #flush(retry = false): void {
    const { bus } = this.dependencies;
    const thread = this.#thread;
    if (!thread || !this.#state || (this.#problem !== null && !retry)) return;
    for (;;) {
      const room = MAX_IN_FLIGHT_EVENTS - (this.#sent - this.#state.position);
      const count = Math.min(bus.lastId - this.#sent, BATCH_EVENTS, room);
      if (count <= 0 && !this.cursors.changed && !retry) break;
      const after = this.#sent;
      const oldest = bus.oldestId;
      const gap = after < oldest - 1 && count > 0 ? { from: after + 1, to: oldest - 1 } : null;
      const first = gap ? oldest : after + 1;
      const rows: StoredRow[] = [];
      for (let id = first; id < first + count && id <= bus.lastId; id++) {
        const event = bus.at(id);
        if (event) rows.push(rowOf(event));
      }
      thread.post({ do: "write", after, rows, gap, cursors: this.cursors.takeChanged() });
      this.#sent = rows.at(-1)?.[0] ?? gap?.to ?? after;
      // One at a time until the disk has taken something again.
      if (retry) break;
    }
  }
}

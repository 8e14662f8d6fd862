/** What the log's thread does with each message: open, write, read, prune, sync, and survive what a disk can do. */
import { BelievedClock } from "./believed_clock";
import { isDamage, type SetAside, setAside } from "./damaged_log";
import type { FromLogThread, StoreState, ToLogThread } from "./log_messages";
import { CRASH_JUMP_IDS, LogStore, type OpenRequest, type StoreOptions } from "./log_store";

export interface KeeperClock {
  nowMs(): number;
  /** Of a clock that nobody sets. */
  steadyMs(): number;
  after(ms: number, call: () => void): void;
}

/** What was written is forced to the card this much later at the latest: what a power cut can cost. */
export const SYNC_MS = 1000;
const PRUNE_EVERY_MS = 60_000;
/** Between two steps, so that writes get their turn. */
const PRUNE_PAUSE_MS = 50;

const CODES: Record<string, string> = {
  SQLITE_FULL: "the disk is full",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  SQLITE_READONLY: "the disk is read-only",
  EROFS: "the disk is read-only",
  EACCES: "the folder may not be written",
  EPERM: "the folder may not be written",
  SQLITE_BUSY: "another process keeps its log there",
  SQLITE_IOERR: "the disk reports errors",
  EIO: "the disk reports errors",
  SQLITE_CANTOPEN: "the file cannot be opened",
  NO_STATE_DIR: "there is no folder for it: set state_dir",
  ENOTDIR: "the folder is none",
  EEXIST: "the folder is none",
  SQLITE_CORRUPT: "the file is damaged",
  SQLITE_NOTADB: "the file is damaged",
  FOREIGN_FILE: "the file is not this program's event log",
  NEWER_FILE: "a newer version of this program wrote the file",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
};

/** In words, with the code: never a path. */
export function diskProblem(error: unknown): string {
  const code = String((error as { code?: string }).code ?? "unknown");
  const known = Object.entries(CODES).find(([name]) => code.startsWith(name));
  return known ? `${known[1]} (${code})` : code;
}

export class LogKeeper {
  #store: LogStore | null = null;
  #folder = "";
  #setAside: { name: string; problem: string } | null = null;
  #owesSync = false;
  #pruning = false;
  #believed: BelievedClock | null = null;

  constructor(
    private readonly tell: (message: FromLogThread) => void,
    private readonly clock: KeeperClock,
  ) {}

  handle(message: ToLogThread): void {
    if (message.do === "write") this.#write(message);
    else if (message.do === "read") this.#read(message);
    else if (message.do === "open") this.#open(message.options, message.request);
    else this.#close();
  }

  /** What is open; null while nothing is. */
  get store(): LogStore | null {
    return this.#store;
  }

  /** As a crash would leave it. */
  abandon(): void {
    this.#store?.abandon();
    this.#store = null;
  }

  #state(store: LogStore): StoreState {
    const { position, reachesFrom, usedBytes } = store;
    return { position, reachesFrom, usedBytes };
  }

  #open(options: StoreOptions, request: OpenRequest): void {
    this.#folder = options.folder ?? "";
    try {
      try {
        if (this.#store && request.inMemory) this.#store.beginAt(request.inMemory.firstId);
        else this.#store = new LogStore(options, request);
      } catch (error) {
        if (!isDamage(error)) throw error;
        const { writtenAtMs } = this.#moveAside(error);
        // What its greatest id was cannot be asked any more: a clock that went back must not give it again.
        const nowUs = Math.max(request.nowUs, Math.trunc(writtenAtMs * 1000) + CRASH_JUMP_IDS);
        this.#store = new LogStore(options, { ...request, nowUs });
      }
      const store = this.#store;
      const { nowMs, steadyMs } = this.clock;
      this.#believed ??= new BelievedClock(store.believedMs ?? nowMs(), steadyMs());
      this.tell({
        told: "opened",
        firstId: store.firstId,
        state: this.#state(store),
        cursors: store.cursors(),
        neverGiven: store.neverGiven(),
        setAside: this.#setAside,
      });
      this.#setAside = null;
      this.#pruneSoon(PRUNE_EVERY_MS);
    } catch (error) {
      this.#failed(error);
    }
  }

  #moveAside(error: unknown): SetAside {
    const problem = diskProblem(error);
    try {
      const aside = setAside(this.#folder, new Date(this.clock.nowMs()));
      this.#setAside = { name: aside.name, problem };
      return aside;
    } catch (failure) {
      const { code = "unknown" } = failure as { code?: string };
      throw Object.assign(new Error(), { code: `${problem} and cannot be renamed: ${code}` });
    }
  }

  #failed(error: unknown): void {
    const position = this.#store?.position ?? 0;
    if (isDamage(error) && this.#store) {
      this.#store.abandon();
      this.#store = null;
      try {
        this.#moveAside(error);
      } catch {
        // The disk does not even take a name: opening will tell.
      }
    }
    this.tell({ told: "failed", problem: diskProblem(error), closed: this.#store === null, position });
  }

  #write({ after, rows, gap, cursors }: Extract<ToLogThread, { do: "write" }>): void {
    const store = this.#store;
    // Sent before the journal heard of a failure: it will send these again.
    if (!store || after !== store.position) return;
    try {
      store.write(rows, gap, cursors);
      // Whoever writes that much must make room for it.
      if (rows.length > 0 && store.usedBytes > store.maxBytes) this.#prune(store);
      this.tell({ told: "written", state: this.#state(store) });
      this.#syncSoon();
    } catch (error) {
      this.#failed(error);
    }
  }

  #syncSoon(): void {
    if (this.#owesSync) return;
    this.#owesSync = true;
    this.clock.after(SYNC_MS, () => {
      this.#owesSync = false;
      try {
        this.#store?.sync();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #read({ ticket, which, id, limit, filter }: Extract<ToLogThread, { do: "read" }>): void {
    const store = this.#store;
    try {
      const piece = which === "after" ? store?.read(id, limit, filter) : store?.readBack(id, limit, filter);
      this.tell({ told: "piece", ticket, piece: piece ?? null });
    } catch (error) {
      this.tell({ told: "piece", ticket, piece: null });
      this.#failed(error);
    }
  }

  #pruneSoon(ms: number): void {
    if (this.#pruning) return;
    this.#pruning = true;
    this.clock.after(ms, () => {
      this.#pruning = false;
      const store = this.#store;
      if (!store) return;
      let more = false;
      try {
        const before = store.reachesFrom;
        more = this.#prune(store);
        if (store.reachesFrom !== before) this.tell({ told: "pruned", state: this.#state(store) });
      } catch (error) {
        this.#failed(error);
      }
      this.#pruneSoon(more ? PRUNE_PAUSE_MS : PRUNE_EVERY_MS);
    });
  }

  #prune(store: LogStore): boolean {
    const { nowMs, steadyMs } = this.clock;
    if (this.#believed === null) return false;
    const upTo = this.#believed.look(nowMs(), steadyMs());
    store.believedMs = this.#believed.believedMs(steadyMs());
    return store.prune(upTo);
  }

  #close(): void {
    try {
      if (this.#store && this.#believed) this.#store.believedMs = this.#believed.believedMs(this.clock.steadyMs());
      this.#store?.close();
    } catch {
      // The next start takes it for a crash, and says so truthfully.
    }
    this.#store = null;
    this.tell({ told: "closed" });
  }
}

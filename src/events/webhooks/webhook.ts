/**
 * One endpoint's place in the log: what it has not taken yet is sent again, in order, until it does. An event may come
 * twice, after a crash or where an answer was lost; it has the same webhook-id then.
 */
import type { EventFilter } from "../bus";
import { type EventLog, isGap, type LogEntry } from "../event_log";
import { cursorName } from "../log_layout";
import { cursor, timestamp } from "../published";
import type { ReaderCursors } from "../reader_cursors";
import { gapText } from "../subscription";
import type { PostWebhook } from "./post";
import { signedHeaders } from "./signature";

export interface WebhookSettings {
  url: string;
  key: Uint8Array;
  filter: EventFilter;
  allowPrivate: boolean;
  /** No attempt succeeded for so long: it is given up. */
  parkAfterMs: number;
}

export interface WebhookDependencies {
  events: EventLog;
  cursors: Pick<ReaderCursors, "get" | "save" | "onWoundBack">;
  post: PostWebhook;
  /** Wall clock: what is signed and shown. */
  nowMs(): number;
  /** For how long it has failed: a clock that is set, as on a machine without a battery, must not give anybody up. */
  monotonicMs(): number;
  /** Calls once after `ms`, unless the function that it returns was called before. */
  after(ms: number, call: () => void): () => void;
  /** 0 ≤ x < 1. */
  random(): number;
  userAgent: string;
  log: {
    info(message: string, fields?: Record<string, string | number>): void;
    warning(message: string, fields?: Record<string, string | number>): void;
  };
}

const TIMEOUT_MS = 10_000;
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 5 * 60_000;
/** An endpoint may ask for more patience than that, but not for this much. */
const RETRY_AFTER_MAX_MS = 3_600_000;
const PIECE_EVENTS = 50;
/** "Gone": it wants no more, says Standard Webhooks. */
const GONE = 410;

/** What may be shown of a URL. Its path is the key where many services are told something: Home Assistant, chats. */
export function shownUrl(url: string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === "/" && search === "" ? url : `${origin}/***`;
}

export interface WebhookStatus {
  webhook: number;
  url: string;
  state: "delivering" | "retrying" | "parked";
  delivered: number;
  /** Of the event that it has not taken. */
  failed_attempts: number;
  failing_since: string | null;
  next_attempt: string | null;
  last_delivery: string | null;
  last_error: string | null;
  /** The last id that it took, or did not want. */
  position: string;
}

export class Webhook {
  #position = 0;
  /** Where to go on instead: the log knew better than we did. */
  #woundBackTo: number | null = null;
  #state: WebhookStatus["state"] = "delivering";
  #running = false;
  #stopped = false;
  #delivered = 0;
  #failedAttempts = 0;
  /** Since when, by both clocks. */
  #failing: { sinceMs: number; monotonicMs: number } | null = null;
  #nextAttemptMs: number | null = null;
  #lastDeliveryMs: number | null = null;
  #lastError: string | null = null;
  #wakeUp: (() => void) | null = null;
  readonly #abort = new AbortController();
  readonly #url: URL;
  readonly #cursorName: string;

  constructor(
    /** Counted from 1, as configured. */
    private readonly number: number,
    private readonly settings: WebhookSettings,
    private readonly dependencies: WebhookDependencies,
  ) {
    this.#url = new URL(settings.url);
    this.#cursorName = cursorName(settings.url);
    const { bus } = dependencies.events;
    dependencies.cursors.onWoundBack((name, id) => {
      if (name !== this.#cursorName) return;
      this.#woundBackTo = id;
      void this.#run();
    });
    void bus.begun.then(() => {
      const known = dependencies.cursors.get(this.#cursorName);
      this.#position = known ?? bus.lastId;
      // A new one begins with what comes from now on, also if nothing comes before the next start.
      if (known === undefined) this.#save();
      bus.listen(() => void this.#run());
      void this.#run();
    });
  }

  status(): WebhookStatus {
    const time = (ms: number | null): string | null => (ms === null ? null : timestamp(ms));
    return {
      webhook: this.number,
      url: shownUrl(this.settings.url),
      state: this.#state,
      delivered: this.#delivered,
      failed_attempts: this.#failedAttempts,
      failing_since: time(this.#failing?.sinceMs ?? null),
      next_attempt: time(this.#nextAttemptMs),
      last_delivery: time(this.#lastDeliveryMs),
      last_error: this.#lastError,
      position: cursor(this.#position),
    };
  }

  /** A parked one goes on where it was; one that waits for its next attempt makes it now. */
  resume(): void {
    if (this.#state === "parked") {
      this.#failing = null;
      this.#failedAttempts = 0;
      this.#state = "delivering";
    }
    this.#wakeUp?.();
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#abort.abort();
    this.#wakeUp?.();
  }

  get #idle(): boolean {
    return this.#stopped || this.#state === "parked";
  }

  async #run(): Promise<void> {
    if (this.#running || this.#idle) return;
    this.#running = true;
    const { events } = this.dependencies;
    while (!this.#idle) {
      this.#position = this.#woundBackTo ?? this.#position;
      this.#woundBackTo = null;
      if (this.#position >= events.bus.lastId) break;
      const lost = events.reaches(this.#position) ? null : { from: this.#position + 1, to: events.reachesFrom };
      const { entries, next } = await events.page(this.#position, PIECE_EVENTS, this.settings.filter);
      for (const entry of lost ? [lost, ...entries] : entries) {
        if (!(await this.#deliver(entry)) || this.#woundBackTo !== null) break;
        this.#position = isGap(entry) ? entry.to : entry.id;
        this.#save();
      }
      if (!this.#idle && this.#woundBackTo === null) {
        this.#position = next;
        this.#save();
      }
    }
    this.#running = false;
  }

  #save(): void {
    this.dependencies.cursors.save(this.#cursorName, this.#position);
  }

  /** Until it is taken; false: stopped or parked. */
  async #deliver(entry: LogEntry): Promise<boolean> {
    while (!this.#idle) {
      const failure = await this.#attempt(entry);
      if (failure === null) return true;
      if (!this.#stopped) await this.#failed(failure);
    }
    return false;
  }

  async #attempt(entry: LogEntry): Promise<{ why: string; retryAfterS: number | null; gone: boolean } | null> {
    const { settings, dependencies } = this;
    const id = isGap(entry) ? `gap_${entry.from}_${entry.to}` : `event_${entry.id}`;
    const body = isGap(entry) ? gapText(entry) : entry.text({ time: "z", stamp: false });
    const nowMs = dependencies.nowMs();
    try {
      const { status, retryAfterS } = await dependencies.post({
        url: this.#url,
        headers: {
          "user-agent": dependencies.userAgent,
          ...signedHeaders(settings.key, id, Math.floor(nowMs / 1000), body),
        },
        body,
        allowPrivate: settings.allowPrivate,
        timeoutMs: TIMEOUT_MS,
        signal: this.#abort.signal,
      });
      if (status < 200 || status > 299) {
        return { why: `it answered ${status}`, retryAfterS, gone: status === GONE };
      }
    } catch (error) {
      return { why: (error as Error).message, retryAfterS: null, gone: false };
    }
    if (this.#state === "retrying") {
      dependencies.log.info("a webhook takes events again", { webhook: this.number });
      this.#state = "delivering";
    }
    this.#delivered++;
    this.#lastDeliveryMs = dependencies.nowMs();
    this.#failedAttempts = 0;
    this.#failing = null;
    return null;
  }

  async #failed({
    why,
    retryAfterS,
    gone,
  }: {
    why: string;
    retryAfterS: number | null;
    gone: boolean;
  }): Promise<void> {
    const { nowMs, monotonicMs, after, random, log } = this.dependencies;
    this.#lastError = why;
    this.#failing ??= { sinceMs: nowMs(), monotonicMs: monotonicMs() };
    const shown = { webhook: this.number, url: shownUrl(this.settings.url), problem: why };
    if (gone || monotonicMs() - this.#failing.monotonicMs >= this.settings.parkAfterMs) {
      this.#state = "parked";
      log.warning("a webhook is given up: POST /webhooks/resume tries it again", shown);
      return;
    }
    if (this.#state === "delivering") log.warning("a webhook does not take events: trying again", shown);
    this.#state = "retrying";
    const backOffMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failedAttempts++, 30));
    // Between half of it and all: those that failed together do not come back together.
    const jitteredMs = backOffMs * (0.5 + random() / 2);
    const waitMs = Math.max(jitteredMs, Math.min(RETRY_AFTER_MAX_MS, (retryAfterS ?? 0) * 1000));
    this.#nextAttemptMs = nowMs() + waitMs;
    await new Promise<void>((resolve) => {
      const cancel = after(waitMs, resolve);
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
    this.#wakeUp = null;
    this.#nextAttemptMs = null;
  }
}

/**
 * One voice bot on one line: what the telephone says goes to it block by block, what it says is heard by the card's
 * clock.
 *
 *   waiting ──lifted──▶ connecting ──▶ open ──hung up, bot gone, stopped──▶ ended
 */
import type { AudioEndReason, AudioRequest, AudioSession } from "../exchange/live_audio";
import { Refusal } from "../exchange/verbs";
import type { StreamEndReason } from "../line/state";
import { ConnectFailure } from "./bot_address";
import type { BotSocket, BotSocketEvents } from "./bot_socket";
import type { BotMessage, Dialect, Wire } from "./dialect";

/** Eight seconds of a telephone in the twilio dialect: who is so far behind does not hear a conversation. */
const MAX_BUFFERED_BYTES = 128 * 1024;

/**
 * What may come of a bot, so that reading it delays nobody: minutes of sound at once, then ninety times what can be
 * heard. A message costs something however short it is.
 */
const MAX_CREDIT_BYTES = 8 * 1024 * 1024;
const CREDIT_BYTES_PER_MS = 1024;
const MESSAGE_COST_BYTES = 512;

export interface StreamNeeds {
  dialect: Dialect;
  openAudio(request: AudioRequest): AudioSession;
  when: "now" | "off_hook";
  /** Rejects with ConnectFailure. */
  connect(events: BotSocketEvents, signal: AbortSignal): Promise<void>;
  nowMs(): number;
  monotonicMs(): number;
  started(): void;
  /** Once, whatever became of it. */
  ended(reason: StreamEndReason, detail: string | null, durationMs: number): void;
}

export interface StreamCounts {
  /** Of the telephone's sound, sent to the bot. */
  sentMs: number;
  /** Of the bot's: taken, and of that not heard yet. */
  receivedMs: number;
  bufferedMs: number;
  /** Times that the bot's sound came too late in the middle of it. */
  underruns: number;
  /** Of the bot's sound: it came while half a minute waited already. */
  droppedMs: number;
  /** Of the telephone's: the program stood still for so long. */
  lostMs: number;
}

const SAMPLES_PER_MS = 8;
const BLOCK_MS = 20;

const END_REASONS: Record<AudioEndReason, StreamEndReason> = {
  hung_up: "hung_up",
  line_down: "line_down",
  unanswered: "unanswered",
  closed: "completed",
};

export class BotStream {
  #state: "waiting" | "connecting" | "open" | "ended" = "waiting";
  /** By the wall clock, to be shown, and by one that nobody sets. */
  #started: { atMs: number; monotonicMs: number } | null = null;
  readonly #session: AudioSession;
  readonly #giveUp = new AbortController();
  #socket: BotSocket | null = null;
  #sentBlocks = 0;
  #credit = { bytes: MAX_CREDIT_BYTES, atMs: 0 };
  #closed: Promise<void> = Promise.resolve();

  /** Throws where the line refuses. */
  constructor(private readonly needs: StreamNeeds) {
    this.#session = needs.openAudio({
      talk: true,
      when: needs.when,
      // The session is there before anything is sent, also where the telephone is lifted already.
      started: () => queueMicrotask(() => void this.#connect()),
      frame: (samples, lost) => this.#hear(samples, lost),
      flow: (full) => this.#socket?.pause(full),
      closed: (reason) => this.#end(END_REASONS[reason], null),
    });
  }

  get state(): "waiting" | "connecting" | "open" | "ended" {
    return this.#state;
  }

  get startedAtMs(): number | null {
    return this.#started?.atMs ?? null;
  }

  digit(digit: string): void {
    if (this.#state === "open") this.#send(this.needs.dialect.digit(digit));
  }

  /** Settles when the connection is closed. */
  async stop(): Promise<void> {
    this.#end("completed", null);
    await this.#closed;
  }

  counts(): StreamCounts {
    const { samplesIn, bufferedMs, underruns, droppedSamples, lostBlocks } = this.#session.stats();
    return {
      sentMs: this.#sentBlocks * BLOCK_MS,
      receivedMs: samplesIn / SAMPLES_PER_MS,
      bufferedMs,
      underruns,
      droppedMs: droppedSamples / SAMPLES_PER_MS,
      lostMs: lostBlocks * BLOCK_MS,
    };
  }

  async #connect(): Promise<void> {
    if (this.#state !== "waiting") return;
    this.#state = "connecting";
    const events: BotSocketEvents = {
      opened: (socket) => this.#opened(socket),
      message: (data) => this.#receive(data),
      closed: (reason, detail) => this.#end(reason, detail),
    };
    try {
      await this.needs.connect(events, this.#giveUp.signal);
    } catch (error) {
      // A defect of ours ends this stream, and nothing else.
      this.#end(error instanceof ConnectFailure ? "connect_failed" : "error", (error as Error).message);
    }
  }

  #opened(socket: BotSocket): void {
    this.#socket = socket;
    this.#state = "open";
    this.#started = { atMs: this.needs.nowMs(), monotonicMs: this.needs.monotonicMs() };
    for (const data of this.needs.dialect.begin()) this.#send(data);
    this.needs.started();
  }

  #hear(samples: Int16Array, lost: number): void {
    // What is said before the bot is there is not for it: it would be late for ever.
    if (this.#state !== "open") return;
    this.#sentBlocks++;
    this.#send(this.needs.dialect.audio(samples, lost));
  }

  #send(data: Wire): void {
    this.#socket?.send(data);
    if ((this.#socket?.bufferedBytes() ?? 0) > MAX_BUFFERED_BYTES) {
      this.#end("bot_unresponsive", "does not read what it is sent");
    }
  }

  #receive(data: Wire): void {
    if (!this.#affords(data.length + MESSAGE_COST_BYTES)) {
      this.#end("error", "sends more than a telephone can hear");
      return;
    }
    for (const message of this.needs.dialect.receive(data)) {
      if (this.#state !== "open") return;
      this.#obey(message);
    }
  }

  #affords(bytes: number): boolean {
    const { bytes: left, atMs } = this.#credit;
    const nowMs = this.needs.monotonicMs();
    const earned = Math.max(0, nowMs - atMs) * CREDIT_BYTES_PER_MS;
    this.#credit = { bytes: Math.min(MAX_CREDIT_BYTES, left + earned) - bytes, atMs: nowMs };
    return this.#credit.bytes >= 0;
  }

  #obey(message: BotMessage): void {
    switch (message.kind) {
      case "audio":
        this.#session.talk(message.samples);
        return;
      case "mark":
        this.#mark(message.name);
        return;
      case "clear":
        this.#session.clear();
        return;
      case "hang_up":
        this.#end("bot_closed", null);
        return;
      case "error":
        this.#end("error", message.detail);
    }
  }

  #mark(name: string): void {
    try {
      this.#session.mark(name, () => {
        const echo = this.#state === "open" ? this.needs.dialect.mark(name) : null;
        if (echo !== null) this.#send(echo);
      });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#end("error", "has more marks under way than are kept");
    }
  }

  #end(reason: StreamEndReason, detail: string | null): void {
    if (this.#state === "ended") return;
    const socket = this.#socket;
    if (this.#state === "open" && reason !== "bot_closed") socket?.send(this.needs.dialect.end());
    this.#state = "ended";
    this.#giveUp.abort();
    if (socket) this.#closed = socket.close();
    this.#session.close();
    const durationMs = this.#started === null ? 0 : this.needs.monotonicMs() - this.#started.monotonicMs;
    this.needs.ended(reason, detail, Math.round(durationMs));
  }
}

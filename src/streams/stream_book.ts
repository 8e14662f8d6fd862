/** The voice bots of all lines: at most one each, by a client's wish or because the line is a hotline. */
import type { Exchange } from "../exchange/verbs";
import { Refusal } from "../exchange/verbs";
import type { LineEventBody } from "../line/events";
import type { StreamEndReason } from "../line/state";
import type { Log } from "../observe/log";
import { audioSocketDialect } from "./audiosocket_dialect";
import type { AddressPolicy } from "./bot_address";
import type { ConnectBot } from "./bot_socket";
import type { DialectName } from "./dialect";
import { BotStream, type StreamCounts } from "./stream";
import { type PlannedStream, planStream, type StreamRequest, shownUrl } from "./stream_request";
import { twilioDialect } from "./twilio_dialect";
import { twilioSignature } from "./twilio_signature";

export interface Hotline extends PlannedStream {
  line: number;
  /** Also where the lift answers a ring. */
  onAnswer: boolean;
}

export interface StreamBookOptions {
  exchange: Pick<Exchange, "openAudio" | "farEndLost">;
  connect: ConnectBot;
  /** A UUID. */
  newStreamId: () => string;
  nowMs: () => number;
  monotonicMs: () => number;
  tell: (line: number, body: LineEventBody) => void;
  policy: AddressPolicy;
  connectTimeoutMs: number;
  pingMs: number;
  twilioAccountSid: string;
  /** Signs what is asked of a twilio bot; null: nothing is signed. */
  twilioAuthToken: string | null;
  userAgent: string;
  hotlines: readonly Hotline[];
  log: Log;
}

export interface StreamStatus extends StreamCounts {
  streamId: string;
  line: number;
  /** Without its query. */
  url: string;
  dialect: DialectName;
  state: BotStream["state"];
  /** Unix ms; null: not connected yet. */
  startedAtMs: number | null;
}

interface Entry {
  id: string;
  planned: PlannedStream;
  stream: BotStream;
}

/** Who was lost this way leaves a silent line behind: a hotline's telephone hears the reorder tone. */
const LOST: readonly StreamEndReason[] = ["bot_closed", "connect_failed", "bot_unresponsive", "error"];

export class StreamBook {
  readonly #byLine = new Map<number, Entry>();

  constructor(private readonly options: StreamBookOptions) {}

  /** Throws Refusal. */
  open(line: number, request: StreamRequest & { when: "now" | "off_hook" }): StreamStatus {
    const checked = planStream(request, this.options.policy);
    if ("faults" in checked) {
      const detail = checked.faults.map(({ field, message }) => `${field} ${message}`).join("; ");
      throw new Refusal("invalid_input", `${detail}.`, checked.faults);
    }
    return this.#open(line, checked.planned, request.when, false);
  }

  /** Throws Refusal where there is none. */
  async stop(line: number): Promise<StreamStatus> {
    const entry = this.#byLine.get(line);
    if (!entry) throw new Refusal("no_stream", "No voice bot is on this line: POST /stream connects one.");
    const { id, planned, stream } = entry;
    const before = status(line, id, planned, stream);
    await stream.stop();
    return before;
  }

  get(line: number): StreamStatus | null {
    const entry = this.#byLine.get(line);
    return entry ? status(line, entry.id, entry.planned, entry.stream) : null;
  }

  all(): StreamStatus[] {
    return [...this.#byLine].map(([line, { id, planned, stream }]) => status(line, id, planned, stream));
  }

  /** What the line told the world. */
  told(line: number, body: LineEventBody): void {
    if (body.type === "dtmf") this.#byLine.get(line)?.stream.digit(body.digit);
    if (body.type !== "off_hook") return;
    const hotline = this.options.hotlines.find((each) => each.line === line);
    if (!hotline || (body.answered && !hotline.onAnswer)) return;
    // When the line has done all that follows from the lift; who waited for it was there first.
    queueMicrotask(() => this.#dialHotline(hotline));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byLine.values()].map(({ stream }) => stream.stop()));
  }

  #dialHotline(hotline: Hotline): void {
    const { line } = hotline;
    try {
      this.#open(line, hotline, "now", true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.options.log.info("the hotline's bot is not dialled", { line, why: error.message });
    }
  }

  #open(line: number, planned: PlannedStream, when: "now" | "off_hook", isHotline: boolean): StreamStatus {
    if (this.#byLine.has(line)) {
      throw new Refusal("stream_active", "A voice bot is on this line already: POST /stream/stop ends it.");
    }
    const { exchange, connect, newStreamId, nowMs, monotonicMs, tell, log } = this.options;
    const id = newStreamId();
    const stream = new BotStream({
      dialect: this.#dialect(id, planned),
      openAudio: (request) => exchange.openAudio(line, request),
      when,
      connect: (events, signal) =>
        connect(
          {
            url: planned.url,
            headers: this.#headers(planned),
            policy: this.options.policy,
            timeoutMs: this.options.connectTimeoutMs,
            pingMs: this.options.pingMs,
            signal,
          },
          events,
        ),
      nowMs,
      monotonicMs,
      started: () => tell(line, { type: "stream_started", stream_id: id, dialect: planned.dialect }),
      ended: (reason, detail, durationMs) => {
        this.#byLine.delete(line);
        const fields = {
          line,
          stream_id: id,
          url: shownUrl(planned.url),
          reason,
          detail,
          duration_ms: durationMs,
        };
        log.info("the voice bot's stream ended", fields);
        // What ended it may be an event under way, which is to be told first.
        queueMicrotask(() => {
          tell(line, { type: "stream_stopped", stream_id: id, reason, detail, duration_ms: durationMs });
          if (isHotline && LOST.includes(reason)) exchange.farEndLost(line);
        });
      },
    });
    this.#byLine.set(line, { id, planned, stream });
    return status(line, id, planned, stream);
  }

  #dialect(id: string, { dialect, customParameters }: PlannedStream) {
    const hex = id.replaceAll("-", "");
    return dialect === "audiosocket"
      ? audioSocketDialect(hex)
      : twilioDialect({ accountSid: this.options.twilioAccountSid, id: hex, customParameters });
  }

  #headers({ url, dialect }: PlannedStream): Record<string, string> {
    const { twilioAuthToken, userAgent } = this.options;
    const signed = dialect === "twilio" && twilioAuthToken !== null;
    return {
      "user-agent": userAgent,
      ...(signed ? { "x-twilio-signature": twilioSignature(twilioAuthToken, url.href) } : {}),
    };
  }
}

const status = (line: number, id: string, { url, dialect }: PlannedStream, stream: BotStream): StreamStatus => ({
  streamId: id,
  line,
  url: shownUrl(url),
  dialect,
  state: stream.state,
  startedAtMs: stream.startedAtMs,
  ...stream.counts(),
});

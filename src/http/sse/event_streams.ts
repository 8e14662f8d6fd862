/** Clients of GET /events/stream: each a subscription like a WebSocket's, in the text of Server-Sent Events. */
import { Audiences } from "../../events/audiences";
import type { EventLog } from "../../events/event_log";
import { cursor } from "../../events/published";
import type { FrameSink, Subscription, SubscriptionOptions } from "../../events/subscription";
import type { Log } from "../../observe/log";
import type { Token } from "../../security/token";
import { tooManyClients } from "../refusals";
import type { Seats } from "../seats";

/** Beyond this a client's events wait in the log instead of in memory. */
const QUEUE_BYTES = 64 * 1024;
/** Well within what proxies wait for. */
const HEARTBEAT_MS = 15_000;
/** A browser's EventSource comes back after this. */
const RECONNECT_MS = 1000;

export interface EventStreamsOptions {
  events: EventLog;
  log: Log;
  maxClients: number;
  seats: Seats;
}

interface Client {
  token: Token | null;
  beat(): void;
  end(): void;
}

export class EventStreams {
  readonly #clients = new Set<Client>();
  readonly #beats: ReturnType<typeof setInterval>;
  readonly #encoder = new TextEncoder();
  readonly #audiences: Audiences;

  constructor(private readonly options: EventStreamsOptions) {
    this.#audiences = new Audiences(options.events);
    this.#beats = setInterval(() => {
      for (const client of this.#clients) client.beat();
    }, HEARTBEAT_MS);
    this.#beats.unref();
  }

  get count(): number {
    return this.#clients.size;
  }

  open(
    request: Request,
    subscribe: SubscriptionOptions,
    { token, address }: { token: Token | null; address: string },
  ): Response {
    if (this.#clients.size >= this.options.maxClients) {
      throw tooManyClients("There are too many event streams (api.max_connections).");
    }
    this.options.seats.check({ token, address });
    const leaveSeat = this.options.seats.take({ token, address });
    let subscription: Subscription | null = null;
    let client: Client;
    const close = (): void => {
      if (!this.#clients.delete(client)) return;
      subscription?.close();
      leaveSeat();
      this.options.log.debug("event stream closed", { streams: this.#clients.size });
    };
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          // What is sent in one go becomes one piece: a replay costs a fifth of what it would event by event.
          let pending = "";
          const flush = (): void => {
            const bytes = this.#encoder.encode(pending);
            pending = "";
            if (this.#clients.has(client)) controller.enqueue(bytes);
          };
          const send = (text: string): void => {
            if (pending === "") queueMicrotask(flush);
            pending += text;
          };
          const congested = (): boolean => (controller.desiredSize ?? 0) - pending.length <= 0;
          const sink: FrameSink = {
            send: (frames) => {
              for (const { text, id } of frames)
                send(`${id === null ? "" : `id: ${cursor(id)}\n`}data: ${text}\n\n`);
            },
            congested,
          };
          client = {
            token,
            beat: () => {
              if (congested()) return;
              // An id without data is no event, but where to go on: what was filtered out need not be looked at again.
              const position = subscription?.position ?? null;
              send(position === null ? ":\n\n" : `:\nid: ${cursor(position)}\n\n`);
            },
            end: () => {
              if (pending !== "") flush();
              close();
              controller.close();
            },
          };
          this.#clients.add(client);
          send(`retry: ${RECONNECT_MS}\n\n`);
          subscription = this.#audiences.subscribe(sink, subscribe);
        },
        pull: () => subscription?.resume(),
        cancel: close,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: QUEUE_BYTES }),
    );
    request.signal.addEventListener("abort", close);
    this.options.log.debug("event stream opened", { streams: this.#clients.size });
    return new Response(body, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // nginx would keep events until it has enough of them.
        "x-accel-buffering": "no",
      },
    });
  }

  /** Tokens changed, or time went by. */
  closeRevoked(isCurrent: (token: Token | null) => boolean): void {
    for (const client of [...this.#clients]) if (!isCurrent(client.token)) client.end();
  }

  closeAll(): void {
    clearInterval(this.#beats);
    for (const client of [...this.#clients]) client.end();
  }
}

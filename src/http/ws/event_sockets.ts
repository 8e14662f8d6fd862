/** The WebSocket clients of both ports: each a subscription, none able to slow another. */
import type { EventLog } from "../../events/event_log";
import { cursor } from "../../events/published";
import { type FrameSink, Subscription, type SubscriptionOptions } from "../../events/subscription";
import type { Exchange } from "../../exchange/verbs";
import type { Log } from "../../observe/log";
import type { Token } from "../../security/token";
import { statusAnswer } from "../answers";
import { queryInput } from "../input";
import { Problem } from "../problem";
import { eventFilter, eventId } from "../routes/events";
import { SocketQuery } from "../schema";
import type { Seats } from "../seats";

/** What of Bun's ServerWebSocket is needed. */
export interface Socket {
  send(text: string): number;
  ping(): number;
  cork(send: () => void): unknown;
  close(code?: number, reason?: string): void;
  getBufferedAmount(): number;
}

/** Beyond this a client's frames wait in the log instead of in memory. */
const CONGESTED_BYTES = 64 * 1024;
/** What Bun's send answers when it keeps the frame, or a part of it, for later. */
const KEPT = -1;
/** Frames from a client are ignored; a client that sends more than this in a second is broken. */
const MAX_FRAMES_A_SECOND = 100;

interface Client {
  number: number;
  socket: Socket;
  subscription: Subscription | null;
  windowStartedAtMs: number;
  framesInWindow: number;
  token: Token | null;
  leaveSeat(): void;
}

export interface SocketRequest extends SubscriptionOptions {
  snapshot: boolean;
  address: string;
  token: Token | null;
}

export interface EventSocketsOptions {
  events: EventLog;
  exchange: Exchange;
  log: Log;
  maxClients: number;
  seats: Seats;
  pingIntervalS: number;
}

export class EventSockets {
  readonly #clients = new Map<unknown, Client>();
  #connections = 0;
  readonly #pings: ReturnType<typeof setInterval>;

  constructor(private readonly options: EventSocketsOptions) {
    this.#pings = setInterval(() => {
      for (const { socket } of this.#clients.values()) socket.ping();
    }, options.pingIntervalS * 1000);
    this.#pings.unref();
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Before the upgrade, so that a wrong query gets an answer that can be read. */
  admit(
    query: Record<string, string | undefined>,
    { token, address }: Pick<SocketRequest, "token" | "address">,
  ): SocketRequest {
    const { types, line, since, snapshot, ts, stamp } = queryInput(SocketQuery, query);
    const request = {
      token,
      address,
      filter: eventFilter(types, line, this.options.exchange.lines, token),
      format: { time: ts === "offset" ? ("offset" as const) : ("z" as const), stamp: stamp ?? false },
      since: since === undefined ? null : eventId(since),
      snapshot: snapshot ?? false,
    };
    if (this.#clients.size >= this.options.maxClients) {
      throw new Problem(429, "too_many_clients", "There are too many WebSocket clients (api.max_connections).", {
        headers: { "retry-after": "5" },
      });
    }
    this.options.seats.check(address);
    return request;
  }

  /** key: the same object for every call about one connection. */
  open(key: unknown, socket: Socket, request: SocketRequest): void {
    const number = ++this.#connections;
    const { log } = this.options;
    // The transport is asked only where it may keep something: to ask a thousand clients costs as much as to send.
    let mayKeep = false;
    let inOneWrite = false;
    const sink: FrameSink = {
      send: (text) => {
        if (socket.send(text) === KEPT) mayKeep = true;
        if (log.enabled("debug")) log.debug("frame sent", { client: number, frame: text });
      },
      congested: () => {
        if (!mayKeep) return false;
        const bytes = socket.getBufferedAmount();
        mayKeep = inOneWrite || bytes > 0;
        return bytes > CONGESTED_BYTES;
      },
      together: (sendAll) => {
        mayKeep = true; // what does not go out at the end of the write, no send has told
        inOneWrite = true;
        socket.cork(sendAll);
        inOneWrite = false;
      },
    };
    const { token, address } = request;
    const leaveSeat = this.options.seats.take(address);
    const client: Client = {
      number,
      socket,
      subscription: null,
      windowStartedAtMs: 0,
      framesInWindow: 0,
      token,
      leaveSeat,
    };
    this.#clients.set(key, client);
    const subscribe = (): void => {
      if (this.#clients.get(key) !== client) return; // gone meanwhile
      if (request.snapshot) socket.send(this.#snapshot(request));
      client.subscription = new Subscription(this.options.events, sink, request);
    };
    // In the first milliseconds of a start it is not yet known which ids events will have.
    const { bus } = this.options.events;
    if (bus.hasBegun) subscribe();
    else void bus.begun.then(subscribe);
    log.debug("client connected", { client: number, clients: this.#clients.size });
  }

  /** The state of now: what comes after `id` is not in it yet. */
  #snapshot({ filter }: SocketRequest): string {
    const { events, exchange } = this.options;
    const lines = exchange.lines.filter((line) => filter.lines === null || filter.lines.includes(line));
    return JSON.stringify({
      type: "snapshot",
      id: cursor(events.bus.lastId),
      lines: lines.map((line) => statusAnswer(exchange.status(line))),
    });
  }

  drained(key: unknown): void {
    this.#clients.get(key)?.subscription?.resume();
  }

  /** A frame from a client says nothing that we want to hear, up to a limit. */
  received(key: unknown): void {
    const client = this.#clients.get(key);
    if (!client) return;
    const nowMs = Date.now();
    if (nowMs - client.windowStartedAtMs >= 1000) {
      client.windowStartedAtMs = nowMs;
      client.framesInWindow = 0;
    }
    if (++client.framesInWindow > MAX_FRAMES_A_SECOND) {
      client.socket.close(1008, "too many frames");
      this.closed(key);
    }
  }

  closed(key: unknown): void {
    if (!this.#clients.has(key)) return;
    const client = this.#clients.get(key);
    client?.subscription?.close();
    client?.leaveSeat();
    this.#clients.delete(key);
    this.options.log.debug("client gone", { client: client?.number ?? 0, clients: this.#clients.size });
  }

  /** Tokens changed, or time went by. */
  closeRevoked(isCurrent: (token: Token | null) => boolean): void {
    for (const [key, { socket, token }] of this.#clients) {
      if (isCurrent(token)) continue;
      socket.close(1008, "the token is no longer valid");
      this.closed(key);
    }
  }

  /** Going away: every client is told, so that it reconnects instead of waiting. */
  closeAll(): void {
    clearInterval(this.#pings);
    for (const { socket, subscription } of this.#clients.values()) {
      subscription?.close();
      socket.close(1001, "server is stopping");
    }
    this.#clients.clear();
  }
}

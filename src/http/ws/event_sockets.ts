/** The WebSocket clients of both ports: each a subscription, none able to slow another. */
import { Audiences } from "../../events/audiences";
import type { EventLog } from "../../events/event_log";
import { cursor } from "../../events/published";
import type { Subscription, SubscriptionOptions } from "../../events/subscription";
import type { Exchange } from "../../exchange/verbs";
import type { Log } from "../../observe/log";
import type { Token } from "../../security/token";
import { statusAnswer } from "../answers";
import { queryInput } from "../input";
import { tooManyClients } from "../refusals";
import { eventFilter, eventId } from "../routes/events";
import { SocketQuery } from "../schema";
import type { Seats } from "../seats";
import { type Socket, SocketSink } from "./socket_sink";

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
  /** Monotonic. */
  nowMs: () => number;
}

export class EventSockets {
  readonly #clients = new Map<unknown, Client>();
  #connections = 0;
  readonly #pings: ReturnType<typeof setInterval>;
  readonly #audiences: Audiences;

  constructor(private readonly options: EventSocketsOptions) {
    this.#audiences = new Audiences(options.events);
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
      throw tooManyClients("There are too many WebSocket clients (api.max_connections).");
    }
    this.options.seats.check({ token, address });
    return request;
  }

  /** key: the same object for every call about one connection. */
  open(key: unknown, socket: Socket, request: SocketRequest): void {
    const number = ++this.#connections;
    const { log } = this.options;
    const sink = new SocketSink(socket, number, log);
    const { token } = request;
    const leaveSeat = this.options.seats.take(request);
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
      client.subscription = this.#audiences.subscribe(sink, request);
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
    const nowMs = this.options.nowMs();
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

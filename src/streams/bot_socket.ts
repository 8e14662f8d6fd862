/** A connection to a bot: by WebSocket, or TCP. One that is not connected in time, or does not read, is given up. */
import { connect, type Socket } from "node:net";
import { literalAddress } from "../network/address";
import { type AddressPolicy, botAddresses, ConnectFailure } from "./bot_address";
import type { Wire } from "./dialect";

export interface BotSocket {
  send(data: Wire): void;
  /** Of what was sent, what the kernel has not taken yet. */
  bufferedBytes(): number;
  /** The peer is to wait with what it says, where it can. */
  pause(paused: boolean): void;
  /** When what was sent is gone; settles when it is closed, for good or by force. */
  close(): Promise<void>;
}

export interface BotSocketEvents {
  opened(socket: BotSocket): void;
  message(data: Wire): void;
  /** Once, of what was opened, and not after close(). detail: half a sentence. */
  closed(reason: "bot_closed" | "bot_unresponsive", detail: string | null): void;
}

export interface ConnectOptions {
  url: URL;
  headers: Record<string, string>;
  policy: AddressPolicy;
  /** Of all: the name, the connection, and the greeting. */
  timeoutMs: number;
  pingMs: number;
  signal: AbortSignal;
  /** PEM; omitted: the certificates that the system trusts. */
  ca?: string;
}

export type ConnectBot = (options: ConnectOptions, events: BotSocketEvents) => Promise<void>;

/** For the closing greeting of one who may not read any more. */
const CLOSE_GRACE_MS = 1000;
/** Bun itself takes up to 128 MiB. A minute of sound in one message is 640 kB. */
const MAX_MESSAGE_CHARACTERS = 4 * 1024 * 1024;

/** Settles when it is open; rejects with ConnectFailure. */
export const connectBot: ConnectBot = async (options, events) => {
  const { url, policy, timeoutMs, signal } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const givenUp = new Promise<never>((_, reject) => {
    const tell = (): void =>
      reject(new ConnectFailure(signal.aborted ? "was given up" : `did not answer within ${timeoutMs / 1000} s`));
    limit.addEventListener("abort", tell, { once: true });
    if (limit.aborted) tell();
  });
  givenUp.catch(() => undefined);
  const open = url.protocol === "ws:" || url.protocol === "wss:" ? openWebSocket : openTcp;
  const addresses = await Promise.race([botAddresses(url.hostname, policy), givenUp]);
  let failure = new ConnectFailure("has no address");
  for (const address of addresses) {
    const attempt = open(address, options, events);
    try {
      return await Promise.race([attempt.opened, givenUp]);
    } catch (error) {
      attempt.giveUp();
      if (!(error instanceof ConnectFailure)) throw error;
      failure = error;
      if (limit.aborted) break;
    }
  }
  throw failure;
};

interface Attempt {
  opened: Promise<void>;
  giveUp(): void;
}

function openWebSocket(
  address: string,
  { url, headers, pingMs, ca }: ConnectOptions,
  events: BotSocketEvents,
): Attempt {
  const target = new URL(url.href);
  target.hostname = address.includes(":") ? `[${address}]` : address;
  const named = literalAddress(url.hostname) === null ? { serverName: url.hostname } : {};
  const socket = new WebSocket(target.href, {
    headers: { ...headers, Host: url.host },
    tls: { ...named, ...(ca === undefined ? {} : { ca }) },
    perMessageDeflate: false, // 160 bytes of µ-law do not get shorter, and nobody sends us a bomb
  });
  const opening = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  let stage: "opening" | "open" | "over" = "opening";
  let why = "closed the connection at once";
  let pinging: NodeJS.Timeout | undefined;
  let parting: NodeJS.Timeout | undefined;
  let pinged = false;
  const end = (reason: "bot_closed" | "bot_unresponsive", detail: string | null): void => {
    clearInterval(pinging);
    clearTimeout(parting);
    if (stage === "opening") opening.reject(new ConnectFailure(why));
    if (stage === "open") events.closed(reason, detail);
    stage = "over";
  };
  const ping = (): void => {
    if (pinged) {
      end("bot_unresponsive", `did not answer a ping within ${pingMs / 1000} s`);
      socket.terminate();
      return;
    }
    pinged = true;
    socket.ping();
  };
  /** It has said that it closes, and TCP is to follow at once. */
  const part = (): void => {
    parting ??= setTimeout(() => {
      end("bot_closed", "said that it closes, and left the connection open");
      socket.terminate();
    }, CLOSE_GRACE_MS);
  };
  socket.onopen = () => {
    if (stage !== "opening") return;
    stage = "open";
    pinging = setInterval(ping, pingMs);
    events.opened({
      send: (data) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(data);
        else if (stage === "open") part();
      },
      bufferedBytes: () => socket.bufferedAmount,
      pause: () => undefined, // what clears must not wait behind sound
      close: async () => {
        stage = "over";
        clearInterval(pinging);
        clearTimeout(parting);
        socket.close(1000);
        await Promise.race([closing.promise, Bun.sleep(CLOSE_GRACE_MS)]);
        socket.terminate();
      },
    });
    opening.resolve();
  };
  socket.onmessage = ({ data }) => {
    if (stage !== "open") return;
    if (data.length <= MAX_MESSAGE_CHARACTERS) {
      events.message(data as Wire);
      return;
    }
    end("bot_closed", "sent a message that is too long");
    socket.close(1009);
  };
  socket.onerror = (event) => {
    // "WebSocket connection to '…' failed: Expected 101 status code: 403"
    const { message } = event as ErrorEvent;
    why = `cannot be reached (${message.split("failed: ").at(-1)})`;
  };
  socket.onclose = ({ code }) => {
    end("bot_closed", closeDetail(code));
    closing.resolve();
  };
  socket.addEventListener("pong" as "message", () => {
    pinged = false;
  });
  return {
    opened: opening.promise,
    giveUp: () => {
      stage = "over";
      socket.terminate();
    },
  };
}

/** 1006 is nothing that a peer could say: it said no farewell, or what it said was no WebSocket's. */
function closeDetail(code: number): string | null {
  if (code === 1000 || code === 1005) return null;
  return code === 1006 ? "broke off the connection" : `closed with ${code}`;
}

function openTcp(address: string, { url }: ConnectOptions, events: BotSocketEvents): Attempt {
  const socket: Socket = connect({ host: address, port: Number(url.port), noDelay: true });
  const opening = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  let stage: "opening" | "open" | "over" = "opening";
  let why: string | null = null;
  socket.on("connect", () => {
    if (stage !== "opening") return;
    stage = "open";
    events.opened({
      send: (data) => {
        if (socket.writable) socket.write(data);
      },
      bufferedBytes: () => socket.writableLength,
      pause: (paused) => void (paused ? socket.pause() : socket.resume()),
      close: async () => {
        stage = "over";
        socket.resume();
        socket.end();
        await Promise.race([closing.promise, Bun.sleep(CLOSE_GRACE_MS)]);
        socket.destroy();
      },
    });
    opening.resolve();
  });
  socket.on("data", (data: Buffer) => {
    if (stage === "open") events.message(new Uint8Array(data));
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    why = error.code ?? error.message;
  });
  // Half of a connection is none.
  socket.on("end", () => socket.destroy());
  socket.on("close", () => {
    if (stage === "opening") opening.reject(new ConnectFailure(`cannot be reached (${why ?? "closed"})`));
    if (stage === "open") events.closed("bot_closed", why && `lost the connection (${why})`);
    stage = "over";
    closing.resolve();
  });
  return {
    opened: opening.promise,
    giveUp: () => {
      stage = "over";
      socket.destroy();
    },
  };
}

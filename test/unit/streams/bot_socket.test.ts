/** Connections to bots, over real sockets of this machine. */
import { afterAll, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressPolicy } from "../../../src/streams/bot_address";
import { type BotSocket, type ConnectOptions, connectBot } from "../../../src/streams/bot_socket";
import type { Wire } from "../../../src/streams/dialect";
import { certificate } from "../../support/certificate";
import { eventually } from "../../support/server";

const HOUSE: AddressPolicy = { allowPrivate: true, allowLinkLocal: false };
const servers: { stop(): unknown }[] = [];
afterAll(async () => {
  for (const server of servers) await server.stop();
});

interface Connection {
  socket: BotSocket | null;
  heard: Wire[];
  closed: [reason: string, detail: string | null][];
  done: Promise<void>;
}
function dial(url: string, options: Partial<ConnectOptions> = {}): Connection {
  const connection: Connection = { socket: null, heard: [], closed: [], done: Promise.resolve() };
  connection.done = connectBot(
    {
      url: new URL(url),
      headers: {},
      policy: HOUSE,
      timeoutMs: 60_000,
      pingMs: 60_000,
      signal: new AbortController().signal,
      ...options,
    },
    {
      opened: (socket) => {
        connection.socket = socket;
      },
      message: (data) => connection.heard.push(data),
      closed: (reason, detail) => connection.closed.push([reason, detail]),
    },
  );
  return connection;
}
const failure = async (connection: Connection): Promise<string> => {
  try {
    await connection.done;
  } catch (error) {
    return (error as Error).message;
  }
  return "connected";
};

/** Takes connections and does with them what is given. */
async function tcp(taken: (socket: Socket) => void = () => undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    taken(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push({
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as { port: number }).port;
}

/** Greets, and does what is given then. */
const greeter = (greeted: (socket: Socket) => void): Promise<number> =>
  tcp((socket) => {
    socket.once("data", (request) => {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? "";
      const accept = new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
      );
      greeted(socket);
    });
  });
/** Never reads again. */
const deafPeer = (): Promise<number> => greeter((socket) => socket.pause());

interface Peer {
  port: number;
  asked: Request[];
  said: (string | Buffer)[];
  closes: number[];
  pings: number;
  sockets: Bun.ServerWebSocket<undefined>[];
}
function webSocketPeer(tls?: Bun.TLSOptions): Peer {
  const peer: Peer = { port: 0, asked: [], said: [], closes: [], pings: 0, sockets: [] };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls ? { tls } : {}),
    fetch: (request, server) => {
      peer.asked.push(request);
      return server.upgrade(request) ? undefined : new Response("no");
    },
    websocket: {
      maxPayloadLength: 64 * 1024 * 1024,
      open: (socket) => {
        peer.sockets.push(socket);
        socket.send("at once");
      },
      message: (_, data) => void peer.said.push(data),
      close: (_, code) => void peer.closes.push(code),
      ping: () => void peer.pings++,
    },
  });
  servers.push(server);
  peer.port = server.port ?? 0;
  return peer;
}

describe("WebSocket", () => {
  test("what each says arrives, from the first byte on; an orderly end", async () => {
    const peer = webSocketPeer();
    const connection = dial(`ws://127.0.0.1:${peer.port}/path?query=1`, {
      headers: { "x-twilio-signature": "s" },
    });
    await connection.done;
    connection.socket?.send("hello");
    await eventually(
      () => [connection.heard, peer.said],
      ([heard, said]) => heard?.length === 1 && said?.length === 1,
    );
    expect([connection.heard, peer.said]).toEqual([["at once"], ["hello"]]);
    expect(peer.asked[0]?.url).toBe(`http://127.0.0.1:${peer.port}/path?query=1`);
    expect(peer.asked[0]?.headers.get("x-twilio-signature")).toBe("s");
    expect(peer.asked[0]?.headers.get("sec-websocket-extensions")).toBeNull();
    await connection.socket?.close();
    expect([peer.closes, connection.closed]).toEqual([[1000], []]);
  });

  test("the name is asked for, its address connected to; the next address where one refuses", async () => {
    // localhost may be ::1 first, where nobody listens.
    const peer = webSocketPeer();
    const connection = dial(`ws://localhost:${peer.port}/`);
    await connection.done;
    expect(peer.asked[0]?.headers.get("host")).toBe(`localhost:${peer.port}`);
    await connection.socket?.close();
  });

  test.each([
    [1000, null],
    [1011, "closed with 1011"],
  ])("a peer that closes with %p is gone", async (code, detail) => {
    const peer = webSocketPeer();
    const connection = dial(`ws://127.0.0.1:${peer.port}/`);
    await connection.done;
    peer.sockets[0]?.close(code);
    await eventually(
      () => connection.closed.length,
      (count) => count === 1,
    );
    expect(connection.closed).toEqual([["bot_closed", detail]]);
  });

  test("a peer that says that it closes, and leaves the connection open, is gone as well", async () => {
    const port = await greeter((socket) => {
      socket.write(new Uint8Array([0x88, 2, 0x03, 0xf3]));
    });
    const connection = dial(`ws://127.0.0.1:${port}/`);
    await connection.done;
    await eventually(
      () => {
        connection.socket?.send("are you there?");
        return connection.closed;
      },
      (closed) => closed.length > 0,
      10_000,
    );
    expect(connection.closed).toEqual([["bot_closed", "said that it closes, and left the connection open"]]);
  });

  test("one that breaks off is told as that", async () => {
    const port = await greeter((socket) => socket.resetAndDestroy());
    const connection = dial(`ws://127.0.0.1:${port}/`);
    await connection.done;
    await eventually(
      () => connection.closed,
      (closed) => closed.length > 0,
    );
    expect(connection.closed).toEqual([["bot_closed", "broke off the connection"]]);
  });

  test("a message that is too long ends it", async () => {
    const peer = webSocketPeer();
    const connection = dial(`ws://127.0.0.1:${peer.port}/`);
    await connection.done;
    peer.sockets[0]?.send("x".repeat(4 * 1024 * 1024 + 1));
    await eventually(
      () => [connection.closed.length, peer.closes.length],
      (counts) => counts.every((count) => count === 1),
    );
    expect([connection.closed, peer.closes]).toEqual([
      [["bot_closed", "sent a message that is too long"]],
      [1009],
    ]);
  });

  test("who does not answer a ping is parted from; who does, stays", async () => {
    const alive = webSocketPeer();
    // Longer than this machine may stand still between a ping and its answer.
    const good = dial(`ws://127.0.0.1:${alive.port}/`, { pingMs: 1000 });
    await good.done;
    const port = await deafPeer();
    const connection = dial(`ws://127.0.0.1:${port}/`, { pingMs: 50 });
    await connection.done;
    await eventually(
      () => connection.closed.length,
      (count) => count === 1,
    );
    expect(connection.closed).toEqual([["bot_unresponsive", "did not answer a ping within 0.05 s"]]);
    await eventually(
      () => alive.pings,
      (pings) => pings >= 2,
    );
    expect(good.closed).toEqual([]);
    await good.socket?.close();
  });

  test("who does not read: what waits is seen, and closing does not wait for ever", async () => {
    const port = await deafPeer();
    const connection = dial(`ws://127.0.0.1:${port}/`);
    await connection.done;
    for (let i = 0; i < 1000 && (connection.socket?.bufferedBytes() ?? 0) === 0; i++) {
      connection.socket?.send("x".repeat(65_536));
    }
    expect(connection.socket?.bufferedBytes()).toBeGreaterThan(0);
    await connection.socket?.close();
  });

  test("a certificate must be good for the name, which is not looked up again", async () => {
    const tls = await certificate("bot.test");
    const peer = webSocketPeer(tls);
    expect(await failure(dial(`wss://127.0.0.1:${peer.port}/`, { ca: tls.cert }))).toMatch(/altnames/);
    expect(await failure(dial(`wss://localhost:${peer.port}/`, { ca: tls.cert }))).toMatch(/altnames/);
    expect(await failure(dial(`wss://localhost:${peer.port}/`))).toMatch(/self.signed/);
    const good = await certificate("localhost");
    const connection = dial(`wss://localhost:${webSocketPeer(good).port}/`, { ca: good.cert });
    await connection.done;
    await connection.socket?.close();
  });
});

describe("TCP", () => {
  test("bytes go both ways; pausing makes the peer wait; an end is an end", async () => {
    let peer: Socket | null = null;
    const said: Buffer[] = [];
    const port = await tcp((socket) => {
      peer = socket;
      socket.on("data", (bytes) => void said.push(bytes as Buffer));
    });
    const connection = dial(`tcp://127.0.0.1:${port}`);
    await connection.done;
    connection.socket?.send(new Uint8Array([1, 2]));
    await eventually(
      () => Buffer.concat(said).length,
      (length) => length === 2,
    );
    connection.socket?.pause(true);
    const socket = peer as unknown as Socket;
    const block = Buffer.alloc(64 * 1024);
    let sent = 0;
    while (socket.write(block) || socket.writableLength < 1024 * 1024) sent += block.length;
    await Bun.sleep(50);
    expect(socket.writableLength).toBeGreaterThan(0);
    connection.socket?.pause(false);
    await eventually(
      () => connection.heard.reduce((sum, { length }) => sum + length, 0),
      (bytes) => bytes > sent,
    );
    socket.end();
    await eventually(
      () => connection.closed.length,
      (count) => count === 1,
    );
    expect(connection.closed).toEqual([["bot_closed", null]]);
  });
});

describe("what is not reached", () => {
  test.each(["ws", "tcp"])("a port where nobody is: %s", async (scheme) => {
    expect(await failure(dial(`${scheme}://127.0.0.1:1`))).toMatch(/^cannot be reached \(.+\)$/);
  });

  test("a server that says nothing, within the time that it has; one that is given up, at once", async () => {
    const port = await tcp();
    expect(await failure(dial(`ws://127.0.0.1:${port}/`, { timeoutMs: 100 }))).toBe("did not answer within 0.1 s");
    const giveUp = new AbortController();
    const connection = dial(`ws://127.0.0.1:${port}/`, { signal: giveUp.signal });
    giveUp.abort();
    expect(await failure(connection)).toBe("was given up");
    expect(connection.socket).toBeNull();
  });

  test("a server that is no WebSocket's, or leads elsewhere", async () => {
    const target = webSocketPeer();
    const server = Bun.serve({
      port: 0,
      fetch: ({ url }) =>
        new URL(url).pathname === "/redirect"
          ? Response.redirect(`ws://127.0.0.1:${target.port}/`)
          : new Response("no", { status: 403 }),
    });
    servers.push(server);
    expect(await failure(dial(`ws://127.0.0.1:${server.port}/`))).toContain("Expected 101 status code: 403");
    expect(await failure(dial(`ws://127.0.0.1:${server.port}/redirect`))).toContain("302");
    expect(target.asked).toEqual([]);
  });

  test("a name that is not found, and an address that is not permitted: nothing is sent", async () => {
    expect(await failure(dial("ws://nowhere.invalid/"))).toMatch(/^has a name that is not found \(/);
    const peer = webSocketPeer();
    const outside = { allowPrivate: false, allowLinkLocal: false };
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await failure(dial(`ws://${host}:${peer.port}/`, { policy: outside }))).toMatch(/private address/);
    }
    expect(peer.asked).toEqual([]);
  });
});

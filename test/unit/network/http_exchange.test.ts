import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { type HttpRequest, httpExchange } from "../../../src/network/http_exchange";
import { eventually } from "../../support/server";

async function listening(serve: (socket: Socket, head: string) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.once("data", (bytes) => serve(socket, bytes.toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    sockets,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const get = (url: string, more: Partial<HttpRequest> = {}) =>
  httpExchange({
    method: "GET",
    url: new URL(url),
    headers: {},
    body: "",
    allowPrivate: true,
    signal: new AbortController().signal,
    ...more,
  });
const why = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => "answered",
    (error: Error) => error.message,
  );

describe("a connection", () => {
  test("goes to the address that was looked at, whatever the name means a moment later", async () => {
    let head = "";
    using server = await listening((socket, text) => {
      head = text;
      socket.end("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let asked = 0;
    const resolve = async () => (++asked === 1 ? ["127.0.0.1"] : ["192.0.2.1"]);
    const { status } = await get(`http://rebinding.test:${server.port}/x?y`, { resolve });
    expect(status).toBe(204);
    expect(asked).toBe(1);
    expect(head).toStartWith(`GET /x?y HTTP/1.1\r\nhost: rebinding.test:${server.port}\r\n`);
  });

  test("is not made where every address of a name is private; a public one beside them is taken", async () => {
    using server = await listening((socket) => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    const url = `http://rebinding.test:${server.port}/`;
    const resolve = async () => ["127.0.0.1", "::1", "10.0.0.1"];
    expect(await why(get(url, { allowPrivate: false, resolve }))).toBe("its address is private");
    expect(server.sockets.size).toBe(0);
  });

  test("takes the next address where one refuses", async () => {
    using server = await listening((socket) => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
    const resolve = async () => ["127.0.0.2", "127.0.0.1"];
    expect((await get(`http://two.test:${server.port}/`, { resolve })).status).toBe(204);
  });

  test("is read no faster than its bytes are used", async () => {
    let sentBytes = 0;
    using server = await listening((socket) => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const piece = Buffer.alloc(64 * 1024);
      const send = (): void => {
        for (;;) {
          sentBytes += piece.length;
          if (!socket.write(piece)) break;
        }
        socket.once("drain", send);
      };
      send();
    });
    const answer = await get(`http://127.0.0.1:${server.port}/`);
    const body = answer.body[Symbol.asyncIterator]();
    await body.next();
    // What the kernel's buffers hold of both ends, and no more: then the sender stands still.
    let before = -1;
    await eventually(
      async () => {
        const still = sentBytes === before;
        before = sentBytes;
        await Bun.sleep(100);
        return still;
      },
      (still) => still,
    );
    expect(sentBytes).toBeLessThan(24 * 1024 * 1024);
    answer.close();
    await eventually(
      () => server.sockets.size,
      (open) => open === 0,
    );
  });

  test("that is stopped says so, and is closed", async () => {
    using server = await listening((socket) => socket.write("HTTP/1.1 200 OK\r\n\r\nhello"));
    const stop = new AbortController();
    const answer = await get(`http://127.0.0.1:${server.port}/`, { signal: stop.signal });
    const body = answer.body[Symbol.asyncIterator]();
    await body.next();
    const next = why(body.next());
    stop.abort();
    expect(await next).toBe("stopped");
    await eventually(
      () => server.sockets.size,
      (open) => open === 0,
    );
  });
});

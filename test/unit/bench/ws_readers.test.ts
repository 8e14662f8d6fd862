/** The instrument itself: a server that delays, drops, repeats and garbles what the test knows, and what it tells of it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Socket } from "bun";
import { percentile } from "../../../bench/figures";
import { readers } from "../../../bench/soak/ws_readers";
import { DriverEngine } from "../../../src/driver/engine";
import { loadShim } from "../../../src/driver/library";
import { eventually } from "../../support/server";

const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
/** RFC 6455, 1.3. */
const accepted = (key: string): string =>
  new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const upgraded = (key: string): string =>
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  `Sec-WebSocket-Accept: ${accepted(key)}\r\n\r\n`;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;
const TEXT = 0x81;
/** Of the histogram, and between two clocks that are read one after the other. */
const STEP_MS = 0.01;
const CLOCKS_MS = 0.02;

function frame(first: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  const long = bytes.length > 125;
  const head = long ? [first, 126, bytes.length >> 8, bytes.length & 0xff] : [first, bytes.length];
  return Buffer.concat([Buffer.from(head), bytes]);
}
const event = (id: number, stampNs = clock.nowNs(), padding = ""): Buffer =>
  frame(TEXT, JSON.stringify({ type: "dtmf", id: String(id), digit: "5", padding, stamp_ns: stampNs }));

/** Answers handshakes and records what else it is sent, by connection, unmasked: [first byte, payload]. */
class TinyServer implements Disposable {
  readonly sockets: Socket<undefined>[] = [];
  readonly heard: [number, string][][] = [];
  readonly #listener;

  constructor(answer = upgraded) {
    this.#listener = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.setNoDelay(true);
          this.sockets.push(socket);
          this.heard.push([]);
        },
        data: (socket, bytes) => {
          const key = /^GET [\s\S]*\r\nSec-WebSocket-Key: (\S+)\r\n/.exec(bytes.toString("latin1"))?.[1];
          if (key !== undefined) socket.write(answer(key));
          else this.#hear(this.sockets.indexOf(socket), bytes);
        },
      },
    });
  }

  get websocket(): string {
    return `ws://127.0.0.1:${this.#listener.port}/`;
  }

  #hear(client: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const length = (bytes[at + 1] as number) & 0x7f;
      expect((bytes[at + 1] as number) & 0x80).toBe(0x80); // masked
      const mask = bytes.subarray(at + 2, at + 6);
      const payload = bytes.subarray(at + 6, at + 6 + length).map((byte, i) => byte ^ (mask[i % 4] as number));
      this.heard[client]?.push([bytes[at] as number, Buffer.from(payload).toString("latin1")]);
      at += 6 + length;
    }
  }

  /** At once, as far as the kernel is concerned. */
  send(client: number, bytes: Buffer): void {
    expect(this.sockets[client]?.write(bytes)).toBe(bytes.length);
  }

  /**
   * Sends, and waits until the client has read it. One write, one arrival: a ping of its own would come to be read
   * together with what was sent before, and make that late. Returns when the kernel had it.
   */
  async tell(client: number, bytes: Buffer): Promise<number> {
    const token = String(this.heard[client]?.length);
    this.send(client, Buffer.concat([bytes, frame(PING, token)]));
    const sentNs = clock.nowNs();
    await eventually(
      () => this.heard[client]?.at(-1),
      (last) => last?.[0] === PONG && last[1] === token,
    );
    return sentNs;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}

test("frames are as late as they are: no less than their age, no more than that and the time it took to send", async () => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 1);
  const leastMs: number[] = [];
  const mostMs: number[] = [];
  for (let id = 1; id <= 200; id++) {
    const ageMs = id % 50 === 0 ? 200 : id % 2 === 0 ? 20 : 5; // every fiftieth is told late
    const beforeNs = clock.nowNs();
    const sentNs = await server.tell(0, event(id, beforeNs - ageMs * 1e6));
    leastMs.push(ageMs);
    mostMs.push(ageMs + (sentNs - beforeNs) / 1e6);
  }
  const seen = await finish();
  for (const [told, part] of [
    [seen.p50Ms, 0.5],
    [seen.p99Ms, 0.99],
    [seen.maxMs, 1],
  ] as const) {
    expect(told).toBeGreaterThanOrEqual(percentile(leastMs, part) - CLOCKS_MS);
    expect(told).toBeLessThanOrEqual(percentile(mostMs, part) + STEP_MS + CLOCKS_MS);
  }
  expect(seen).toMatchObject({ clients: 1, frames: 200, lost: 0, duplicates: 0, disordered: 0, wrong: 0 });
  expect(seen.ids).toEqual(leastMs.map((_, i) => i + 1));
});

test("a reader that stands still makes no frame late: it arrived when it arrived", async () => {
  using server = new TinyServer();
  const { pid, finish } = await readers(server.websocket, 1);
  process.kill(pid, "SIGSTOP");
  await eventually(
    () => readFileSync(`/proc/${pid}/stat`, "utf8"),
    (stat) => /\) T /.test(stat),
  );
  const beforeNs = clock.nowNs();
  const read = server.tell(0, event(1, beforeNs));
  const STANDSTILL_MS = 300;
  await Bun.sleep(STANDSTILL_MS);
  process.kill(pid, "SIGCONT");
  const sentMs = ((await read) - beforeNs) / 1e6;
  const { clock: by, maxMs } = await finish();
  expect(by).toBe("kernel");
  expect(maxMs).toBeLessThanOrEqual(sentMs + CLOCKS_MS);
});

test("what one of many loses, gets twice or in another order is counted", async () => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 6);
  const told = [
    [1, 2, 3, 4, 5], // all
    [1, 2, 4, 5], // lost 3
    [1, 2, 3, 3, 4, 5], // 3 twice
    [1, 2, 4, 3, 5], // 3 after 4: lost in its place
    [1, 2, 3, 4], // lost the last
    [2, 3, 4, 5], // lost the first
  ];
  // The second is ahead of all who get what it lost.
  for (const client of [1, 0, 2, 3, 4, 5])
    for (const id of told[client] ?? []) await server.tell(client, event(id));
  expect(await finish()).toMatchObject({ ids: [1, 2, 3, 4, 5], lost: 4, duplicates: 1, disordered: 1, wrong: 5 });
});

test("the end is waited for until everybody has the last event", async () => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 2);
  for (const client of [0, 1]) await server.tell(client, event(1));
  const seen = finish(2);
  await server.tell(0, event(2));
  await server.tell(1, event(2));
  expect(await seen).toMatchObject({ ids: [1, 2], frames: 4, lost: 0, wrong: 0 });
});

test("frames come in pieces, several in one, and with longer lengths", async () => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 1);
  for (const byte of event(1)) server.send(0, Buffer.from([byte]));
  const last = event(4);
  server.send(0, Buffer.concat([event(2), event(3, clock.nowNs(), "x".repeat(8000)), last.subarray(0, 9)]));
  await server.tell(0, last.subarray(9));
  expect(await finish()).toMatchObject({ ids: [1, 2, 3, 4], frames: 4, wrong: 0 });
  // It says goodbye.
  await eventually(
    () => server.heard[0]?.at(-1),
    (told) => told?.[0] === CLOSE && told[1] === "\x03\xe8",
  );
});

test("who is closed by the server is told", async () => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 2);
  for (const client of [0, 1]) server.send(client, event(1));
  server.send(1, frame(CLOSE, Buffer.concat([Buffer.from([0x03, 0xe9]), Buffer.from("stopping")])));
  await eventually(
    () => server.heard[1]?.at(-1),
    (last) => last?.[0] === CLOSE && last[1] === "\x03\xe9",
  );
  server.send(0, event(2));
  expect(await finish()).toMatchObject({ ids: [1, 2], lost: 1, closed: 1, wrong: 1 });
});

test.each([
  ["a 64-bit length", Buffer.from([TEXT, 127, 0, 0, 0, 0, 0, 1, 0, 0]), "64-bit length"],
  ["a mask", Buffer.from([TEXT, 0x81, 1, 2, 3, 4, 5]), "a masked frame"],
  ["a part of a message", Buffer.from([0x01, 1, 65]), "a part, or extended: 0x01"],
  ["compression", Buffer.from([0xc1, 1, 65]), "a part, or extended: 0xc1"],
  ["sound", Buffer.from([0x82, 1, 65]), "not expected: 0x82"],
  ["no stamp", frame(TEXT, '{"id":"7"}'), 'without "stamp_ns":'],
  ["a loss, told", frame(TEXT, '{"type":"gap","from":"1","to":"2"}'), '"type":"gap"'],
])("a frame with %s ends the measurement", async (_, bytes, complaint) => {
  using server = new TinyServer();
  const { finish } = await readers(server.websocket, 1);
  server.send(0, bytes);
  await expect(finish()).rejects.toThrow(complaint);
});

test.each([
  ["another status", () => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401 Unauthorized"],
  ["another key's answer", (key: string) => upgraded(`x${key}`), "not upgraded"],
])("a handshake with %s is refused", async (_, answer, complaint) => {
  using server = new TinyServer(answer);
  await expect(readers(server.websocket, 1)).rejects.toThrow(complaint);
});

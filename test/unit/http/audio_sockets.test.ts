/** Clients of live audio that do not read, on a virtual clock: bounded, counted, and nobody else's business. */
import { expect, test } from "bun:test";
import { Seats } from "../../../src/http/seats";
import type { AudioSocket } from "../../../src/http/ws/audio_client";
import { AudioSockets } from "../../../src/http/ws/audio_sockets";
import { find, noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

/** Without tokens. */
const NOBODY = { token: null, address: "127.0.0.1" };

const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;

/** A client that reads as the test wants; what it does not read waits, as in Bun. */
class FakeSocket implements AudioSocket {
  reads = true;
  unreadBytes = 0;
  mostUnreadBytes = 0;
  readonly told: Record<string, unknown>[] = [];
  readonly frames: Uint8Array[] = [];
  closedWith: [number?, string?] | null = null;

  send(data: string | Uint8Array<ArrayBuffer>): number {
    if (typeof data === "string") this.told.push(JSON.parse(data));
    else this.frames.push(data.slice());
    if (!this.reads) this.unreadBytes += data.length;
    this.mostUnreadBytes = Math.max(this.mostUnreadBytes, this.unreadBytes);
    return data.length;
  }
  ping(): number {
    return 0;
  }
  close(...why: [number?, string?]): void {
    this.closedWith = why;
  }
  getBufferedAmount(): number {
    return this.unreadBytes;
  }
  readAll(): void {
    this.reads = true;
    this.unreadBytes = 0;
  }
  heard(): Int16Array {
    const bytes = Buffer.concat(this.frames);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }
}

async function served(): Promise<Stepped & Disposable & { sockets: AudioSockets }> {
  const phone = await stepped({ engine: CLEAN });
  await phone.until(phone.handsets.lift(1));
  const sockets = new AudioSockets({
    exchange: phone.exchange,
    log: { enabled: () => false, debug: () => undefined } as never,
    seats: new Seats({ perAddress: 0, loopback: true }),
    maxClients: 3,
    pingIntervalS: 30,
    nowMs: () => phone.engine.nowNs() / 1e6,
  });
  return Object.assign(phone, { sockets });
}

function connect({ sockets }: { sockets: AudioSockets }, query: Record<string, string>): FakeSocket {
  const socket = new FakeSocket();
  sockets.open(socket, socket, sockets.admit(1, query, NOBODY));
  return socket;
}

test("a listener that does not read keeps a second; then frames are dropped, and it is told how many", async () => {
  using phone = await served();
  const slow = connect(phone, { mode: "listen" });
  const other = connect(phone, { mode: "listen" });
  slow.reads = false;
  const said = noise(24_000, 4);
  await phone.until(phone.handsets.speak(1, pcmSource(said)));
  expect(slow.mostUnreadBytes).toBeLessThanOrEqual(16_000 + 320 + 200);
  expect(find(other.heard(), said)).toBeGreaterThanOrEqual(0);
  const framesWhileSlow = slow.frames.length;
  slow.readAll();
  await phone.advance(100);
  const lost = slow.told.filter(({ type }) => type === "lost");
  expect(lost).toEqual([{ type: "lost", samples: (other.frames.length - slow.frames.length) * 160 }]);
  expect(slow.frames.length).toBe(framesWhileSlow + 5);
  expect(slow.closedWith).toBeNull();
});

test("one that asks and does not read the answers is closed", async () => {
  using phone = await served();
  const slow = connect(phone, { mode: "talk" });
  slow.reads = false;
  for (let i = 0; i < 2000 && !slow.closedWith; i++) {
    phone.sockets.received(slow, { type: "stats" });
    if (i % 50 === 0) await phone.advance(1000);
  }
  expect(slow.closedWith).toEqual([1008, "does not read"]);
  expect(slow.mostUnreadBytes).toBeLessThan(300 * 1024);
});

test("a mark behind every 20 ms of a sentence that comes at once is no flood; endless ones are", async () => {
  using phone = await served();
  const client = connect(phone, { mode: "talk" });
  const said = noise(300 * 160, 1);
  for (let i = 0; i < 300; i++) {
    phone.sockets.received(client, new Uint8Array(said.slice(i * 160, (i + 1) * 160).buffer));
    phone.sockets.received(client, { type: "mark", name: `${i}` });
  }
  await phone.advance(6200);
  expect(client.closedWith).toBeNull();
  const marks = client.told.filter(({ type }) => type === "mark");
  expect(marks).toEqual(Array.from({ length: 300 }, (_, i) => ({ type: "mark", name: `${i}` })));
  for (let i = 0; i < 5001; i++) phone.sockets.received(client, { type: "mark", name: "again" });
  expect(client.closedWith).toEqual([1008, "too many frames"]);
});

test("what is wrong with a text frame is told by its field; what is answered at once is bounded", async () => {
  using phone = await served();
  const client = connect(phone, { mode: "talk" });
  for (const [frame, code, detail] of [
    [{ type: "sing" }, "invalid_input", "type must be one of mark, clear, stats."],
    [{}, "invalid_input", "type must be one of mark, clear, stats."],
    [{ type: "toString" }, "invalid_input", "type must be one of mark, clear, stats."],
    [{ type: "mark" }, "invalid_input", "name is missing."],
    [{ type: "mark", name: 7 }, "invalid_input", "name must be a string."],
    [{ type: "clear", all: true }, "invalid_input", "all is not known here (known: type)."],
    [[1], "malformed_json", 'A text frame must be a JSON object, such as {"type":"clear"}.'],
    ["hello", "malformed_json", 'A text frame must be a JSON object, such as {"type":"clear"}.'],
    [null, "malformed_json", 'A text frame must be a JSON object, such as {"type":"clear"}.'],
  ] as const) {
    phone.sockets.received(client, frame);
    expect(client.told.at(-1)).toEqual({ type: "error", code, detail });
  }
  phone.sockets.received(client, ' \n{"type":"stats"}');
  expect(client.told.at(-1)).toMatchObject({ type: "stats" });
  for (let i = 0; i < 91; i++) phone.sockets.received(client, { type: "stats" });
  expect(client.closedWith).toEqual([1008, "too many frames"]);
});

test("half a sample at the end of a frame is joined to the next", async () => {
  using phone = await served();
  const client = connect(phone, { mode: "listen" });
  phone.sockets.received(client, Buffer.from([1, 2, 3]));
  phone.sockets.received(client, Buffer.from([4, 5, 6]));
  phone.sockets.received(client, { type: "stats" });
  expect(client.told.at(-1)).toMatchObject({ frames_in: 2, samples_in: 3, dropped_samples: 3 });
});

test("no more clients than there may be; one that has gone makes room", async () => {
  using phone = await served();
  const [first] = [1, 2, 3].map(() => connect(phone, { mode: "listen" }));
  expect(() => phone.sockets.admit(1, { mode: "listen" }, NOBODY)).toThrow("too many WebSocket clients");
  phone.sockets.closed(first);
  expect(connect(phone, { mode: "listen" }).told[0]).toMatchObject({ type: "started" });
});

test("the server's end is told to each", async () => {
  using phone = await served();
  const client = connect(phone, { mode: "listen" });
  phone.sockets.closeAll();
  expect(client.told.at(-1)).toEqual({ type: "stopped", reason: "server_stopping" });
  expect(client.closedWith).toEqual([1001, "server is stopping"]);
});

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

/** The wall clock is set by an hour, as NTP does after a start: what is counted in time does not notice. */
import { afterEach, describe, expect, setSystemTime, test } from "bun:test";
import { secured } from "../../../src/commands/secured";
import { EventBus } from "../../../src/events/bus";
import { EventLog } from "../../../src/events/event_log";
import { Seats } from "../../../src/http/seats";
import { EventSockets } from "../../../src/http/ws/event_sockets";

afterEach(() => {
  setSystemTime();
});

const HOUR_MS = 60 * 60 * 1000;
const SILENT = { enabled: () => false, debug: () => undefined } as never;

function connected(nowMs: () => number) {
  const closedWith: unknown[] = [];
  const socket = {
    send: () => 0,
    ping: () => 0,
    cork: (send: () => void) => send(),
    close: (code?: number) => void closedWith.push(code),
    getBufferedAmount: () => 0,
  };
  const sockets = new EventSockets({
    events: new EventLog(new EventBus(null, 1)),
    exchange: { lines: [1] } as never,
    log: SILENT,
    maxClients: 1,
    seats: new Seats({ perAddress: 0, loopback: true }),
    pingIntervalS: 30,
    nowMs,
  });
  const key = {};
  sockets.open(key, socket, sockets.admit({}, { token: null, address: "127.0.0.1" }));
  const send = (frames: number): void => {
    for (let i = 0; i < frames; i++) sockets.received(key);
  };
  return { send, closedWith, [Symbol.dispose]: () => sockets.closeAll() };
}

/** As the server puts it together, for a client of another machine. */
async function guarded(requests_per_second: number, burst: number) {
  const { guard } = await secured(
    {
      server: { host: "0.0.0.0", allowed_hosts: [], tls: { certificate: null, key: null, self_signed: false } },
      security: { api_tokens: [], allow_unauthenticated: true, allowed_origins: [] },
      api: { rate_limit: { requests_per_second, burst }, max_connections_per_address: "auto" },
    } as never,
    null,
    { audit: { info: () => undefined, warning: () => undefined, error: () => undefined } } as never,
  );
  let performed = 0;
  const ask = async (key?: string) => {
    const request = new Request("http://10.0.0.1/ring", {
      method: "POST",
      headers: key === undefined ? {} : { "idempotency-key": key },
    });
    const perform = async () => Response.json({ count: ++performed });
    const answer = await guard.handle(
      perform,
      request,
      { requestIP: () => ({ address: "10.0.0.2" }) },
      () => undefined,
    );
    return { status: answer.status, replayed: answer.headers.get("idempotency-replayed") };
  };
  return ask;
}

describe.each([HOUR_MS, -HOUR_MS])("set by %d ms", (stepMs) => {
  test("a client's frames are counted over the same second", () => {
    let nowMs = 5000;
    using client = connected(() => nowMs);
    client.send(100);
    setSystemTime(new Date(Date.now() + stepMs));
    expect(client.closedWith).toEqual([]);
    client.send(1);
    expect(client.closedWith).toEqual([1008]);

    using patient = connected(() => nowMs);
    patient.send(100);
    setSystemTime(new Date(Date.now() + stepMs));
    nowMs += 1000;
    patient.send(100);
    expect(patient.closedWith).toEqual([]);
  });

  test("a client that asked too often still has, and no other has", async () => {
    const ask = await guarded(0.001, 2);
    expect((await ask()).status).toBe(200);
    setSystemTime(new Date(Date.now() + stepMs));
    expect((await ask()).status).toBe(200);
    setSystemTime(new Date(Date.now() + stepMs));
    expect((await ask()).status).toBe(429);
  });

  test("an idempotency key is kept for a day of its own", async () => {
    const ask = await guarded(1000, 1000);
    expect(await ask("k")).toEqual({ status: 200, replayed: null });
    setSystemTime(new Date(Date.now() + 30 * stepMs));
    expect(await ask("k")).toEqual({ status: 200, replayed: "true" });
  });
});

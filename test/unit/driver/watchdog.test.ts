import { expect, test } from "bun:test";
import { constants } from "node:os";
import type { DriverEvent } from "../../../src/driver/decode";
import { DriverEngine } from "../../../src/driver/engine";
import { loadShim } from "../../../src/driver/library";
import { Port } from "../../../src/driver/port";

const PATIENCE_MS = 20_000;

test("a busy loop in JavaScript leaves no bell ringing", async () => {
  const engine = new DriverEngine(await loadShim(), "realtime");
  engine.setOption("WatchdogMs", 500);
  const port = new Port(engine, engine.addSimulated(), 1, null);
  engine.start();
  try {
    const busyUntil = (done: () => boolean): void => {
      const givenUpAt = performance.now() + PATIENCE_MS;
      while (!done()) if (performance.now() > givenUpAt) throw new Error("waited for too long");
    };
    const events: DriverEvent[] = [];
    const drain = (): void => engine.drain((event) => events.push(event));
    busyUntil(() => port.stats().up === 1);
    void port.ring({ bursts: [{ onMs: 2000, offMs: 100 }], repeat: 0, capMs: 0 }, () => undefined);
    busyUntil(() => port.stats().ringing === 1);
    drain();
    // From here on the event loop stands still, and nobody drains.
    busyUntil(() => engine.engineStats().watchdog_trips === 1);
    busyUntil(() => port.stats().ringing === 0);
    drain();
    const { ETIMEDOUT } = constants.errno;
    expect(events.filter(({ kind }) => kind === "ring_done")).toMatchObject([
      { reason: "error", errno: ETIMEDOUT },
    ]);
    // Alive again: what is rung now rings.
    void port.ring({ bursts: [{ onMs: 2000, offMs: 100 }], repeat: 0, capMs: 0 }, () => undefined);
    busyUntil(() => port.stats().ringing === 1);
    drain();
  } finally {
    engine.destroy();
  }
});

import { describe, expect, test } from "bun:test";
import { DriverEngine } from "../../../src/driver/engine";
import { loadShim } from "../../../src/driver/library";
import { pingIntervalMs, watchdog } from "../../../src/observe/watchdog";

describe("the watchdog", () => {
  test("is asked for by systemd, of this process", () => {
    expect(pingIntervalMs({}, 7)).toBeNull();
    expect(pingIntervalMs({ WATCHDOG_USEC: "9000000" }, 7)).toBe(3000);
    expect(pingIntervalMs({ WATCHDOG_USEC: "9000000", WATCHDOG_PID: "7" }, 7)).toBe(3000);
    expect(pingIntervalMs({ WATCHDOG_USEC: "9000000", WATCHDOG_PID: "8" }, 7)).toBeNull();
    expect(pingIntervalMs({ WATCHDOG_USEC: "x" }, 7)).toBeNull();
  });

  test("pings only while the I/O thread moves", async () => {
    const engine = new DriverEngine(await loadShim(), "realtime");
    engine.addSimulated();
    let pings = 0;
    const look = watchdog({ progress: () => engine.engineStats().wakeups, ping: () => pings++ });
    look();
    expect(pings).toBe(0); // it was never started
    engine.start();
    const deadline = Date.now() + 20_000;
    while (pings < 2 && Date.now() < deadline) {
      await Bun.sleep(10);
      look();
    }
    expect(pings).toBe(2);
    engine.destroy();
  });
});

/** The bell, from its request to its end. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../support/refusal";
import { stepped } from "../../support/stepped";

describe("ringing", () => {
  test("runs its pattern, is told, and ends without the trailing silence", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { pattern: "TIMER" }));
    expect(phone.exchange.status(1).state).toBe("RINGING");
    await phone.advance(3000);
    expect(phone.handsets.telephone(1).bell).toEqual({ ringing: false, bursts: 3 });
    const [start, stop] = phone.told.filter(({ body }) => body.type.startsWith("ring_"));
    expect(start?.body).toMatchObject({ type: "ring_start", pattern: "TIMER", repeat: 1, duration: null });
    expect(stop?.body).toMatchObject({ type: "ring_stop", reason: "completed" });
    expect(Math.abs((stop?.atMs ?? 0) - (start?.atMs ?? 0) - 1000)).toBeLessThanOrEqual(2);
  });

  test("stops at the duration's cap", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { durationMs: 7000 }));
    await phone.advance(9000);
    expect(phone.types().slice(-2)).toEqual(["ring_start", "ring_stop:duration"]);
    expect(phone.handsets.telephone(1).bell.bursts).toBe(2);
  });

  test("is ended by a lift, answered, and the call is IN_CALL", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, {}));
    await phone.advance(500);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(100);
    expect(phone.types().slice(-2)).toEqual(["ring_stop:answered", "off_hook"]);
    expect(phone.told.at(-1)?.body).toMatchObject({ answered: true });
    expect(phone.exchange.status(1).state).toBe("IN_CALL");
    expect(phone.handsets.telephone(1).bell.ringing).toBe(false);
  });

  test("stops when told, and an idle line says so", async () => {
    using phone = await stepped();
    expect(await phone.until(phone.exchange.stopRing(1))).toEqual({ wasRinging: false });
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(400);
    expect(await phone.until(phone.exchange.stopRing(1))).toEqual({ wasRinging: true });
    expect(phone.types().slice(-1)).toEqual(["ring_stop:stopped"]);
    expect(phone.exchange.status(1).state).toBe("IDLE");
  });

  test("anew replaces the running one: each start has its stop", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(400);
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    await phone.advance(2000);
    expect(phone.types().slice(1)).toEqual([
      "ring_start",
      "ring_stop:stopped",
      "ring_start",
      "ring_stop:completed",
    ]);
  });

  test("is refused while lifted, with bad input, on a line that is not there", async () => {
    using phone = await stepped();
    expect(await refusal(() => phone.exchange.ring(1, { pattern: "LOUD" }))).toBe("invalid_input");
    expect(await refusal(() => phone.exchange.ring(7, {}))).toBe("unknown_line");
    await phone.until(phone.handsets.lift(1));
    await phone.advance(40);
    expect(await refusal(() => phone.exchange.ring(1, {}))).toBe("line_off_hook");
    expect(phone.types()).not.toContain("ring_start");
  });
});

describe("a watchdog", () => {
  test("stops the bell of a program that stands still, which tells it when it is back", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { pattern: "CONTINUOUS" }));
    await phone.advance(15_000);
    expect(phone.handsets.telephone(1).bell.ringing).toBe(true);
    phone.engine.step(12_000); // nobody drains
    const { bell } = phone.handsets.telephone(1);
    phone.engine.step(60_000);
    expect(phone.handsets.telephone(1).bell).toEqual({ ringing: false, bursts: bell.bursts });
    expect(phone.types().at(-1)).toBe("ring_start");
    await phone.advance(20);
    expect(phone.types().at(-1)).toBe("ring_stop:error");
    expect(phone.exchange.tellStandstills()).toEqual({ lost: 0, trips: 1 });
    expect(phone.told.at(-1)?.body).toMatchObject({ status: "watchdog", details: { trips: 1 } });
    expect(phone.exchange.tellStandstills().trips).toBe(0);
    expect(phone.exchange.diagnostics(1).engine.watchdog_trips).toBe(1);
    // And it goes on as if nothing had been.
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    await phone.advance(1000);
    expect(phone.types().at(-1)).toBe("ring_stop:completed");
  });
});

/** A card that goes and comes back, its voltage, and a program that does not look at it. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../support/refusal";
import { noise, pcmSource, stepped } from "../../support/stepped";

describe("the card", () => {
  test("taken away while ringing: ring_stop, error, ERROR; put back: the line is there again", async () => {
    using phone = await stepped();
    await phone.until(phone.exchange.ring(1, { repeat: 0 }));
    await phone.advance(300);
    await phone.until(phone.handsets.plug(1, false));
    await phone.advance(100);
    expect(phone.types().slice(1)).toEqual(["ring_start", "ring_stop:error", "error"]);
    expect(phone.exchange.status(1)).toMatchObject({ state: "ERROR", fault: { code: "card_removed" } });
    expect(await refusal(() => phone.exchange.ring(1, {}))).toBe("line_not_ready");
    await phone.until(phone.handsets.plug(1, true));
    await phone.advance(2000);
    expect(phone.exchange.status(1)).toMatchObject({ state: "IDLE", fault: null });
  });

  test("taken away while playing ends the playback", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(40);
    const playing = phone.exchange.play(1, pcmSource(noise(80_000)), { when: "now" });
    await phone.advance(500);
    await phone.until(phone.handsets.plug(1, false));
    expect((await phone.until(playing.finished)).reason).toBe("error");
    expect(phone.types()).toContain("playback_finished:error");
  });

  test("tells its line voltage, and its change when the telephone is lifted", async () => {
    using phone = await stepped();
    await phone.advance(1500);
    expect(phone.exchange.voltage(1)).toMatchObject({ status: "normal" });
    const idle = phone.exchange.voltage(1).voltage ?? 0;
    expect(idle).toBeGreaterThan(40);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1500);
    expect(phone.types()).toContain("voltage_change");
    expect(phone.exchange.voltage(1)).toMatchObject({ status: "normal", maxVoltage: idle });
    expect(phone.exchange.voltage(1).minVoltage).toBeLessThan(30);
    await phone.until(phone.handsets.voltage(1, 20));
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(3000);
    expect(phone.exchange.voltage(1)).toMatchObject({ voltage: 20, status: "low" });
  });
});

describe("a program that stands still", () => {
  test("tells how many events it lost, once", async () => {
    using phone = await stepped();
    expect(phone.exchange.tellStandstills().lost).toBe(0);
    const { shim, handle } = phone.engine;
    for (let i = 0; i < 2500; i++) {
      shim.dshim_sim_hook(handle, 0, 1);
      phone.engine.step(100);
      shim.dshim_sim_hook(handle, 0, 0);
      phone.engine.step(1000);
    }
    const { lost } = phone.exchange.tellStandstills();
    expect(lost).toBeGreaterThan(0);
    expect(phone.exchange.tellStandstills()).toEqual({ lost: 0, trips: 0 });
    expect(phone.told.at(-1)?.body).toEqual({ type: "hardware_status", status: "events_lost", details: { lost } });
  });
});

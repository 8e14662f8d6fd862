/** The wall clock is set in the middle of something: what lasts, lasts as long as it lasts. */
import { describe, expect, test } from "bun:test";
import { EPOCH_MS, noise, pcmSource, stepped } from "../../support/stepped";
import { connected, ended } from "../streams/connected_telephone";

const HOUR_MS = 3_600_000;
const KEY = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };

describe.each([HOUR_MS, -HOUR_MS, 50 * 365 * 24 * HOUR_MS])("set by %d ms", (byMs) => {
  test("a call and a talkspurt last as long as they lasted", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    const spoken = phone.handsets.speak(1, pcmSource(noise(16_000, 1)));
    await phone.advance(1000);
    phone.setWallClock(byMs);
    await phone.until(spoken);
    await phone.advance(2000);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(2000);
    const ends = phone.told.flatMap(({ body }) =>
      body.type === "voice" && body.endMs !== null ? [body.endMs - body.startMs] : [],
    );
    expect(ends).toHaveLength(1);
    expect(ends[0]).toBeWithin(1500, 3500);
    const { successfulCalls, totalDurationMs, lastCallAtMs } = phone.exchange.status(1).callStats;
    expect(successfulCalls).toBe(1);
    expect(totalDurationMs).toBeWithin(3500, 6000);
    // As the clock has it now.
    expect((lastCallAtMs ?? 0) - EPOCH_MS - byMs).toBeWithin(0, 2000);
  });

  test.each([
    ["from its lift", false],
    ["from its last key", true],
  ])("a telephone left off-hook is told when its time has come, %s", async (_, keys) => {
    using phone = await stepped({
      lineSettings: {
        dialTone: { timeoutMs: 10_000 },
        offHookTimeout: { afterMs: 20_000, reorderMs: 5000, howlerMs: 5000 },
      },
    });
    await phone.until(phone.handsets.lift(1));
    if (keys) await phone.until(phone.handsets.press(1, { ...KEY, digits: "5" }));
    await phone.advance(5000);
    phone.setWallClock(byMs);
    if (keys) await phone.until(phone.handsets.press(1, { ...KEY, digits: "6" }));
    await phone.advance(keys ? 19_000 : 14_000);
    expect(phone.types()).not.toContain("off_hook_timeout");
    await phone.advance(2000);
    const left = phone.told.find(({ body }) => body.type === "off_hook_timeout");
    expect(left?.body.type === "off_hook_timeout" && left.body.idle_ms).toBeWithin(19_999, 20_050);
  });
});

test("a stream lasts as long as it lasted", async () => {
  let setByMs = 0;
  const { phone, bots } = await connected({}, { nowMs: () => EPOCH_MS + setByMs });
  using _ = phone;
  await phone.advance(1000);
  setByMs = -EPOCH_MS;
  expect(bots.get(1)?.startedAtMs).toBe(EPOCH_MS);
  await phone.advance(1000);
  await bots.stop(1);
  const told = ended(phone) as { duration_ms: number };
  expect(told.duration_ms).toBeWithin(1980, 2050);
});

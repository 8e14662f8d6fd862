/** Why a key was not heard, and what those were like that were. */
import { expect, test } from "bun:test";
import type { KeyDetail } from "../../../src/line/state";
import { pcmSource, sine, stepped } from "../../support/stepped";

const explaining = () => stepped({ engine: { DtmfExplain: 1, SimNoiseCdbm0: -12_000, SimEchoCdb: 0 } });

function twoTones(lowHz: number, highHz: number, ms: number): Int16Array {
  const low = sine(lowHz, ms);
  const high = sine(highHz, ms);
  return low.map((sample, i) => Math.round(sample / 4 + (high[i] ?? 0) / 4));
}

test("a key carries its levels, twist, offsets and SNR", async () => {
  using phone = await explaining();
  await phone.until(phone.handsets.lift(1));
  await phone.until(
    phone.handsets.press(1, { digits: "5", onMs: 100, offMs: 100, levelDbm0: -12, twistDb: 4 }),
    5000,
  );
  await phone.advance(200);
  const key = phone.told.find(({ body }) => body.type === "dtmf")?.body as { digit: string; detail: KeyDetail };
  expect(key.digit).toBe("5");
  expect(Math.abs(key.detail.level_low_dbm0 + 14)).toBeLessThan(0.3);
  expect(Math.abs(key.detail.level_high_dbm0 + 10)).toBeLessThan(0.3);
  expect(Math.abs(key.detail.twist_db - 4)).toBeLessThan(0.3);
  expect(Math.abs(key.detail.offset_low_hz)).toBeLessThan(0.5);
  expect(key.detail.snr_db).toBeGreaterThan(20);
  expect(phone.exchange.diagnostics(1).dtmf).toMatchObject({ accepted: 1, last: key.detail });
});

test.each([
  ["off_frequency", twoTones(770 * 1.035, 1336, 100)],
  ["too_short", twoTones(770, 1336, 22)],
  [
    "twist",
    (() => {
      const low = sine(770, 100);
      const high = sine(1336, 100);
      return low.map((sample, i) => Math.round(sample / 3 + (high[i] ?? 0) / 24));
    })(),
  ],
] as const)("refused for %s: told to who looks, counted for everybody", async (reason, samples) => {
  using phone = await explaining();
  await phone.until(phone.handsets.lift(1));
  await phone.advance(500);
  await phone.until(phone.handsets.speak(1, pcmSource(samples)), 5000);
  await phone.advance(500);
  const bodies = phone.told.map(({ body }) => body);
  expect(bodies.filter(({ type }) => type === "dtmf")).toEqual([]);
  const refused = bodies.filter((body) => body.type === "dtmf_rejected");
  expect(refused.map((body) => [body.digit, body.reason])).toContainEqual(["5", reason]);
  expect(phone.exchange.diagnostics(1).dtmf.refused[reason]).toBeGreaterThan(0);
  expect(phone.exchange.diagnostics(1).dtmf.accepted).toBe(0);
});

test("nobody asked: counted, and no event", async () => {
  using phone = await stepped();
  await phone.until(phone.handsets.lift(1));
  await phone.advance(500);
  await phone.until(phone.handsets.speak(1, pcmSource(twoTones(770 * 1.035, 1336, 100))), 5000);
  await phone.advance(500);
  expect(phone.told.map(({ body }) => body.type)).not.toContain("dtmf_rejected");
  expect(phone.exchange.diagnostics(1).dtmf.refused.off_frequency).toBeGreaterThan(0);
});

/** The tones of all countries, said into a simulated telephone's microphone: what they are told to be. */
import { describe, expect, test } from "bun:test";
import { progressTones } from "../../../src/audio/call_progress";
import { toneSource } from "../../../src/audio/tone_plan";
import { TONE_ZONES, zoneTone } from "../../../src/audio/tone_zones";
import type { ProgressTone } from "../../../src/driver/engine";
import { noise, pcmSource, type Stepped, sine, stepped } from "../../support/stepped";

const SPEECH_MS = 15_000;
const REAL = ["dial", "busy", "ringback", "reorder"] as const;

const told = (phone: Stepped, line = 1) =>
  phone.told.flatMap(({ line: of, body, atMs }) =>
    of === line && body.type === "call_progress" ? [{ ...body, atMs }] : [],
  );
const names = (phone: Stepped, line = 1): string[] =>
  told(phone, line).map(({ tone, active }) => `${tone} ${active ? "on" : "off"}`);

/** The earlier one of those that sound and pause alike. */
function expectedName(tones: readonly ProgressTone[], name: string): string {
  const of = ({ frequenciesHz, cadenceMs }: ProgressTone): string => `${frequenciesHz} ${cadenceMs}`;
  const wanted = tones.find(({ tone }) => tone === name) as ProgressTone;
  // Australia's reorder tone is its busy tone with every second burst softer.
  const cadence = wanted.cadenceMs;
  const once = { ...wanted, cadenceMs: cadence.every((ms) => ms === cadence[0]) ? cadence.slice(0, 2) : cadence };
  return tones.find((tone) => of(tone) === of(wanted) || of(tone) === of(once))?.tone ?? name;
}

describe("tones of call progress", () => {
  test("of every country are heard for what they are", async () => {
    for (const zone of TONE_ZONES) {
      using phone = await stepped({ ports: REAL.length, toneZone: zone });
      const tones = progressTones(zone);
      for (const [i, name] of REAL.entries()) {
        const source = toneSource(zoneTone(zone, name), SPEECH_MS, (hz, dbm0, start, into) =>
          phone.engine.renderTone(hz, dbm0, start, into),
        );
        await phone.until(phone.handsets.lift(i + 1));
        void phone.handsets.speak(i + 1, source);
      }
      await phone.advance(SPEECH_MS + 8000);
      for (const [i, name] of REAL.entries()) {
        const expected = expectedName(tones, name);
        expect([zone, name, ...names(phone, i + 1)]).toEqual([zone, name, `${expected} on`, `${expected} off`]);
      }
    }
  }, 120_000);

  test("a fax machine answers, and calls; hanging up ends what is heard", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.advance(1000);
    await phone.until(phone.handsets.speak(1, pcmSource(sine(2100, 3000, 3000))));
    await phone.advance(300);
    const [answers, over] = told(phone);
    expect(answers).toMatchObject({ tone: "fax_ced", active: true, endMs: null });
    expect(over).toMatchObject({ tone: "fax_ced", active: false });
    expect(Math.abs((over?.endMs ?? 0) - (over?.startMs ?? 0) - 3000)).toBeLessThanOrEqual(30);
    expect(answers?.startMs).toBe(over?.startMs as number);
    expect(Math.abs((answers?.level ?? 0) - (20 * Math.log10(3000 / 32768) + 3.14))).toBeLessThanOrEqual(1);

    phone.told.length = 0;
    await phone.until(phone.handsets.speak(1, pcmSource(sine(1100, 500, 3000))));
    await phone.advance(1500);
    expect(names(phone)).toEqual(["fax_cng on"]);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1500);
    expect(names(phone)).toEqual(["fax_cng on", "fax_cng off"]);
    const types = phone.types();
    expect(types.indexOf("on_hook")).toBeGreaterThan(types.lastIndexOf("call_progress"));
  });

  test("that we send ourselves are not told, though a bad hybrid returns them", async () => {
    using phone = await stepped({ engine: { SimEchoCdb: 900 } });
    await phone.until(phone.handsets.lift(1));
    for (const tone of REAL) await phone.until(phone.exchange.tone(1, { tone, durationMs: 14_000 }).finished);
    for (const frequency of [2100, 1100])
      await phone.until(phone.exchange.tone(1, { frequenciesHz: [frequency], durationMs: 3000 }).finished);
    await phone.advance(3000);
    expect(names(phone)).toEqual([]);
    // The far end's right after is.
    await phone.until(phone.handsets.speak(1, pcmSource(sine(2100, 1500, 3000))));
    await phone.advance(300);
    expect(names(phone)).toEqual(["fax_ced on", "fax_ced off"]);
  });

  test("are no keys and no noise, and a pure tone of another frequency is none", async () => {
    using phone = await stepped();
    await phone.until(phone.handsets.lift(1));
    await phone.until(
      phone.handsets.press(1, { digits: "123A456B789C*0#D", onMs: 1500, offMs: 300, levelDbm0: -10, twistDb: 0 }),
    );
    await phone.until(phone.handsets.speak(1, pcmSource(noise(40_000, 3, 8000))));
    for (const frequency of [350, 440, 1000, 2000, 2225])
      await phone.until(phone.handsets.speak(1, pcmSource(sine(frequency, 2500, 4000))));
    await phone.advance(1000);
    expect(names(phone)).toEqual([]);
  });
});

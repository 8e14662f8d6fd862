import { describe, expect, test } from "bun:test";
import { parseTone } from "../../../src/audio/tone_notation";
import { type TonePlan, toneSource } from "../../../src/audio/tone_plan";
import { TONE_NAMES, TONE_ZONES, type ToneName, toneZone, zoneTone } from "../../../src/audio/tone_zones";
import { DriverEngine } from "../../../src/driver/engine";
import { loadShim } from "../../../src/driver/library";
import { goertzelDbm0 } from "../../support/level";
import { readAll } from "../../support/stepped";

const engine = new DriverEngine(await loadShim(), "stepped");
const heard = (plan: TonePlan, ms: number): Int16Array =>
  readAll(
    toneSource(plan, ms, (hz, dbm0, start, into) => engine.renderTone(hz, dbm0, start, into)),
    333,
  );

const silence = (ms: number) => ({ frequenciesHz: [], ms });
const sound = (ms: number | null, ...frequenciesHz: number[]) => ({ frequenciesHz, ms });
const peak = (samples: Int16Array): number => samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe("the notation of tones", () => {
  test("is that of E.180's tables", () => {
    expect(parseTone("425")).toEqual({ once: [], segments: [sound(null, 425)] });
    expect(parseTone("400+450 0.4 0.2 0.4 2").segments).toEqual([
      sound(400, 400, 450),
      silence(200),
      sound(400, 400, 450),
      silence(2000),
    ]);
    expect(parseTone("470 0.4, 425 0.4").segments).toEqual([sound(400, 470), sound(400, 425)]);
    expect(parseTone("400*25").segments).toEqual([{ ...sound(null, 400), modulationHz: 25 }]);
    expect(parseTone("425@-10 0.375").segments).toEqual([{ ...sound(375, 425), relativeDb: -10 }]);
    expect(parseTone("2x(425 0.1 0.1) 425")).toEqual({
      once: [sound(100, 425), silence(100), sound(100, 425), silence(100)],
      segments: [sound(null, 425)],
    });
  });

  test.each(["", "beep", "425 0", "425 0.5 -1", "425 x", "1+2+3+4+5", "400+450+500*25", "2x(425)"])(
    "%j is none",
    (text) => {
      expect(() => parseTone(text)).toThrow();
    },
  );
});

describe("the tones of the world", () => {
  test("are those of forty countries and more, each once", () => {
    expect(TONE_ZONES.length).toBeGreaterThanOrEqual(55);
    expect(new Set(TONE_ZONES).size).toBe(TONE_ZONES.length);
    expect([...TONE_ZONES].sort()).toEqual([...TONE_ZONES]);
    for (const zone of TONE_ZONES) {
      expect(zone).toMatch(/^[a-z]{2}$/);
      // The runtime knows ISO 3166, and what has no name there is no country.
      expect(
        new Intl.DisplayNames("en", { type: "region", fallback: "none" }).of(zone.toUpperCase()),
      ).toBeDefined();
    }
  });

  test.each([...TONE_ZONES])("%s: every tone is there and plausible", (zone) => {
    for (const name of TONE_NAMES) {
      const { levelDbm0, once = [], segments } = zoneTone(zone, name);
      expect(levelDbm0).toBeGreaterThanOrEqual(-24);
      expect(levelDbm0).toBeLessThanOrEqual(0);
      expect(segments.length).toBeGreaterThan(0);
      const all = [...once, ...segments];
      for (const { frequenciesHz, modulationHz, ms } of all) {
        for (const hz of frequenciesHz) {
          expect(hz).toBeGreaterThanOrEqual(200);
          expect(hz).toBeLessThanOrEqual(2600);
        }
        if (modulationHz !== undefined) {
          expect(modulationHz).toBeGreaterThanOrEqual(15);
          expect(modulationHz).toBeLessThanOrEqual(50);
        }
        if (ms !== null) expect(ms).toBeGreaterThanOrEqual(20);
      }
      expect(all.some(({ frequenciesHz }) => frequenciesHz.length > 0)).toBe(true);
      // An endless segment is the last one.
      expect(all.slice(0, -1).every(({ ms }) => ms !== null)).toBe(true);
      const interrupted = all.some(({ frequenciesHz }) => frequenciesHz.length === 0);
      if (["busy", "ringback", "reorder", "call_waiting"].includes(name)) expect(interrupted).toBe(true);
    }
    const period = (name: ToneName): number =>
      zoneTone(zone, name).segments.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
    // Ringback is the slowest; somebody who hears busy must not take it for that.
    expect(period("ringback")).toBeGreaterThanOrEqual(3000);
    expect(period("busy")).toBeLessThanOrEqual(1500);
  });

  const dialled = (zone: string, name: ToneName) => zoneTone(zone, name).segments;
  test.each<[string, ToneName, TonePlan["segments"]]>([
    ["us", "dial", [sound(null, 350, 440)]],
    ["us", "busy", [sound(500, 480, 620), silence(500)]],
    ["us", "ringback", [sound(2000, 440, 480), silence(4000)]],
    ["us", "howler", [sound(100, 1400, 2060, 2450, 2600), silence(100)]],
    ["uk", "busy", [sound(375, 400), silence(375)]],
    ["gb", "ringback", [sound(400, 400, 450), silence(200), sound(400, 400, 450), silence(2000)]],
    ["gb", "reorder", [sound(400, 400), silence(350), sound(225, 400), silence(525)]],
    ["de", "dial", [sound(null, 425)]],
    ["de", "busy", [sound(480, 425), silence(480)]],
    ["de", "reorder", [sound(240, 425), silence(240)]],
    ["fr", "dial", [sound(null, 440)]],
    ["fr", "ringback", [sound(1500, 440), silence(3500)]],
    ["jp", "ringback", [{ ...sound(1000, 400), modulationHz: 16 }, silence(2000)]],
    ["au", "dial", [sound(null, 413, 438)]],
    ["au", "reorder", [sound(375, 425), silence(375), { ...sound(375, 425), relativeDb: -10 }, silence(375)]],
    ["it", "dial", [sound(200, 425), silence(200), sound(600, 425), silence(1000)]],
    ["nl", "stutter", [sound(500, 425), silence(50)]],
    ["in", "dial", [{ ...sound(null, 400), modulationHz: 25 }]],
    ["br", "busy", [sound(250, 425), silence(250)]],
    ["br", "reorder", [sound(250, 425), silence(250), sound(750, 425), silence(250)]],
    ["cn", "howler", [sound(null, 950)]],
    ["es", "reorder", [200, 200, 200, 200, 200, 600].map((ms, i) => (i % 2 === 0 ? sound(ms, 425) : silence(ms)))],
    // Named by no norm: our defaults.
    ["ie", "reorder", [sound(250, 425), silence(250)]],
    ["de", "howler", [sound(100, 1400, 2060, 2450, 2600), silence(100)]],
  ])("%s %s", (zone, name, segments) => {
    expect(dialled(zone, name)).toEqual(segments);
  });

  test("stutter is ten bursts, then the dial tone", () => {
    const { once, segments } = zoneTone("us", "stutter");
    expect(once).toHaveLength(20);
    expect(once?.slice(0, 2)).toEqual([sound(100, 350, 440), silence(100)]);
    expect(segments).toEqual([sound(null, 350, 440)]);
  });

  test("a zone has one name, and what is none is told", () => {
    expect(toneZone("GB")).toBe("gb");
    expect(toneZone("uk")).toBe("gb");
    expect(toneZone("xx")).toBeNull();
    expect(() => zoneTone("xx", "dial")).toThrow();
  });
});

describe("tones as they sound", () => {
  test("have their length, their cadence and no click at an edge", () => {
    const busy = heard(zoneTone("us", "busy"), 1700);
    expect(busy.length).toBe(1700 * 8);
    expect(peak(busy.subarray(100, 3900))).toBeGreaterThan(1000);
    expect(peak(busy.subarray(4000, 8000))).toBe(0);
    expect(peak(busy.subarray(8100, 11_900))).toBeGreaterThan(1000);
    for (const edge of [0, 3999, 8000, 11_999]) expect(Math.abs(busy[edge] as number)).toBeLessThanOrEqual(10);
  });

  test("what is heard once is not heard again", () => {
    const stutter = heard(zoneTone("gb", "stutter"), 5000);
    expect(peak(stutter.subarray(40, 1000))).toBeGreaterThan(1000);
    const { once = [] } = zoneTone("us", "stutter");
    const samples = heard(
      { levelDbm0: -13, once: once.slice(0, 4), segments: [sound(100, 425), silence(300)] },
      2000,
    );
    const onsets = samples.reduce<number[]>((at, value, i) => {
      const before = samples.subarray(Math.max(0, i - 40), i);
      if (value !== 0 && peak(before) === 0) at.push(Math.round(i / 8));
      return at;
    }, []);
    expect(onsets).toEqual([0, 200, 400, 800, 1200, 1600]);
  });

  test("a single tone has E.180's −10 dBm0, two share it, the precise tone plan has its own levels", () => {
    const second = (zone: string, name: ToneName): Int16Array =>
      heard(zoneTone(zone, name), 1000).subarray(800, 7200);
    expect(goertzelDbm0(second("de", "dial"), 425)).toBeCloseTo(-10, 1);
    for (const hz of [413, 438]) expect(goertzelDbm0(second("au", "dial"), hz)).toBeCloseTo(-13, 0);
    for (const hz of [350, 440]) expect(goertzelDbm0(second("us", "dial"), hz)).toBeCloseTo(-13, 0);
    for (const hz of [440, 480]) expect(goertzelDbm0(second("us", "ringback"), hz)).toBeCloseTo(-19, 0);
    expect(goertzelDbm0(second("cn", "howler"), 950)).toBeCloseTo(0, 1);
  });

  test("the second half of Australia's reorder tone is 10 dB softer", () => {
    const reorder = heard(zoneTone("au", "reorder"), 1500);
    const loud = goertzelDbm0(reorder.subarray(100, 2900), 425);
    expect(loud - goertzelDbm0(reorder.subarray(6100, 8900), 425)).toBeCloseTo(10, 1);
  });

  test("modulation is two sidebands at half the amplitude, −10 dBm0 in all, and silence between the beats", () => {
    const india = heard(zoneTone("in", "dial"), 1200).subarray(800, 8800);
    const carrier = goertzelDbm0(india, 400);
    expect(carrier).toBeCloseTo(-11.76, 1);
    for (const hz of [375, 425]) expect(carrier - goertzelDbm0(india, hz)).toBeCloseTo(6.02, 1);
    for (const hz of [350, 450, 25]) expect(goertzelDbm0(india, hz)).toBeLessThan(-60);
    // 100 %: the envelope reaches 0, twenty-five times a second.
    const beats = Array.from({ length: 100 }, (_, i) => peak(india.subarray(i * 80, i * 80 + 40)));
    expect(Math.min(...beats)).toBeLessThan(0.15 * Math.max(...beats));
  });

  test("without a duration they never end", () => {
    const source = toneSource(zoneTone("it", "dial"), null, (hz, dbm0, start, into) =>
      engine.renderTone(hz, dbm0, start, into),
    );
    expect(source.samples).toBeNull();
    const into = new Int16Array(4000);
    for (let i = 0; i < 2000; i++) expect(source.read(into)).toBeGreaterThan(0);
  });
});

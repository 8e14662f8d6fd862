import { describe, expect, test } from "bun:test";
import { Limiter } from "../../../src/audio/limiter";
import { Loudness } from "../../../src/audio/loudness";
import { Resampler } from "../../../src/audio/resampler";

const sine = (hz: number, rateHz: number, samples: number, amplitude = 0.5): Float32Array =>
  Float32Array.from({ length: samples }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rateHz));

function inPieces(
  stage: { push(input: Float32Array): Float32Array; end(): Float32Array },
  input: Float32Array,
  piece = 997,
): Float32Array {
  const parts: number[] = [];
  for (let at = 0; at < input.length; at += piece) parts.push(...stage.push(input.subarray(at, at + piece)));
  parts.push(...stage.end());
  return Float32Array.from(parts);
}

const rmsDb = (samples: Float32Array): number =>
  10 * Math.log10(samples.reduce((sum, value) => sum + value * value, 0) / samples.length + 1e-20);

/** Of the middle, against the same tone at 8 kHz. */
function snrDb(heard: Float32Array, hz: number): number {
  const wanted = sine(hz, 8000, heard.length);
  const error = heard.map((value, i) => value - (wanted[i] as number));
  return rmsDb(wanted.subarray(1000, 7000)) - rmsDb(error.subarray(1000, 7000));
}

describe("the resampler", () => {
  const RATES = [
    4000, 6000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 44_099, 48_000, 96_000, 191_999, 192_000,
  ];

  test.each(RATES)("from %d Hz: 70 dB in the pass band, to 3.4 kHz, at its time", (rateHz) => {
    for (const hz of [50, 300, 1000, 2000, 3000, 3400]) {
      if (hz > rateHz * 0.42) continue;
      const heard = inPieces(new Resampler(rateHz), sine(hz, rateHz, rateHz));
      expect(heard.length).toBe(8000);
      expect([hz, snrDb(heard, hz) > 70, snrDb(heard, hz)]).toEqual([hz, true, snrDb(heard, hz)]);
    }
  });

  test.each(RATES.filter((rateHz) => rateHz > 11_000))(
    "from %d Hz: 85 dB against what would fold back",
    (rateHz) => {
      for (const hz of [4050, 4300, 4700, 5000, 7000, 7999, 8300, 11_600, 15_000, 23_000]) {
        if (hz > rateHz * 0.49) continue;
        const heard = inPieces(new Resampler(rateHz), sine(hz, rateHz, rateHz));
        const left = rmsDb(heard.subarray(1000, 7000)) - rmsDb(sine(hz, rateHz, rateHz));
        expect([hz, left < -85, left]).toEqual([hz, true, left]);
      }
    },
  );
});

describe("the limiter", () => {
  test("changes nothing that fits", () => {
    const loud = Float32Array.from({ length: 9000 }, (_, i) => ((i * 7919) % 65536) / 32768 - 1);
    expect(inPieces(new Limiter(), loud)).toEqual(loud);
  });

  test("keeps a peak of 12 dB too much within full scale, without a corner", () => {
    const input = sine(400, 8000, 16_000, 0.5);
    for (let i = 8000; i < 8400; i++) input[i] = (input[i] as number) * 8;
    const limited = inPieces(new Limiter(), input);
    expect(limited.length).toBe(input.length);
    expect(Math.max(...limited)).toBeLessThanOrEqual(32767 / 32768);
    expect(Math.min(...limited)).toBeGreaterThanOrEqual(-1);
    // Untouched before and well after; and in between the gain never jumps.
    expect(limited.subarray(0, 7900)).toEqual(input.subarray(0, 7900));
    expect(limited.subarray(10_000)).toEqual(input.subarray(10_000));
    let steepest = 0;
    for (let i = 7900; i < 10_000; i++) {
      const [before, here] = [input[i - 1] as number, input[i] as number];
      if (Math.abs(before) < 0.05 || Math.abs(here) < 0.05) continue;
      steepest = Math.max(steepest, Math.abs((limited[i] as number) / here - (limited[i - 1] as number) / before));
    }
    expect(steepest).toBeLessThan(0.03);
  });
});

describe("loudness", () => {
  const dbm0 = (samples: Float32Array): number => rmsDb(samples) + 3.01 + 3.14;

  test.each([-38, -30, -12])(
    "speech of %d dBm0 comes to -18 from its first word on, pauses not counted",
    (level) => {
      const amplitude = 10 ** ((level - 3.14) / 20);
      const speech = sine(700, 8000, 40_000, amplitude).map((value, i) => (i % 8000 < 4000 ? 0 : value));
      const levelled = inPieces(new Loudness(-18), speech);
      expect(levelled.length).toBe(speech.length);
      for (let second = 0; second < 5; second++) {
        const word = levelled.subarray(second * 8000 + 4200, second * 8000 + 7800);
        expect(Math.abs(dbm0(word) + 18)).toBeLessThan(1);
      }
    },
  );

  test("silence stays silence", () => {
    expect(Math.max(...inPieces(new Loudness(-18), sine(700, 8000, 24_000, 0.0001)))).toBeLessThan(0.0002);
  });
});

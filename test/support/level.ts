/** Levels by a method of our own, so that the DSP is not measured by itself. */

const FULL_SCALE = 32768;
/** G.711, mu-law: a sine of full scale; its own number, not the code's. */
const FULL_SCALE_SINE_DBM0 = 3.14;

/** Level of the part at this frequency, dBm0; a Hann window keeps what lies beside it away. */
export function goertzelDbm0(samples: Int16Array, frequencyHz: number): number {
  let re = 0;
  let im = 0;
  let weight = 0;
  samples.forEach((value, i) => {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / samples.length);
    const phase = (2 * Math.PI * frequencyHz * i) / 8000;
    re += window * value * Math.cos(phase);
    im += window * value * Math.sin(phase);
    weight += window;
  });
  const amplitude = (2 * Math.hypot(re, im)) / weight / FULL_SCALE;
  return 20 * Math.log10(Math.max(amplitude, 1e-6)) + FULL_SCALE_SINE_DBM0;
}

/** Level of everything in it, dBm0. */
export function rmsDbm0(samples: Int16Array): number {
  const meanSquare = samples.reduce((sum, value) => sum + value * value, 0) / Math.max(1, samples.length);
  return 10 * Math.log10(Math.max((2 * meanSquare) / FULL_SCALE ** 2, 1e-12)) + FULL_SCALE_SINE_DBM0;
}

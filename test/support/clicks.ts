/** How loud a click is. */

/** The largest difference between neighbours. */
export function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i++)
    largest = Math.max(largest, Math.abs((samples[i] as number) - (samples[i - 1] as number)));
  return largest;
}

/** The greatest power in any 16 ms that does not belong to a tone, dB over the tone's: what is heard of a click. */
export function clickDb(samples: Int16Array, toneHz: number, amplitude: number): number {
  const size = 128;
  let worst = 0;
  for (let from = 0; from + size <= samples.length; from += size / 4) {
    for (let hz = 2000; hz < 4000; hz += 62.5) {
      if (Math.abs(hz - toneHz) < 500) continue;
      let re = 0;
      let im = 0;
      for (let i = 0; i < size; i++) {
        const value = (samples[from + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (size - 1)));
        re += value * Math.cos((2 * Math.PI * hz * i) / 8000);
        im += value * Math.sin((2 * Math.PI * hz * i) / 8000);
      }
      worst = Math.max(worst, re * re + im * im);
    }
  }
  const tone = (amplitude * size) / 4; /* through the same window */
  return 10 * Math.log10(worst / (tone * tone) + 1e-12);
}

/**
 * The tone that asks a telephone to listen for FSK (CAS, in Europe DT-AS): off-hook, when a second call waits (type II),
 * or on-hook where no ringing announces it.
 *
 *   off-hook   | call-waiting tone | alert 80 ms | the telephone mutes and answers DTMF D (or A), | FSK without seizure |
 *                                                  60 ms, begun within 160 ms                       50 … 500 ms later
 *
 * No answer: no FSK, since somebody would hear it as noise.
 */
import { FULL_SCALE_SINE_DBM0, TELEPHONE_RATE_HZ } from "../source";

/** GR-30-CORE 2.5, EN 300 659-2 6.2: ± 0.5 %; chosen because speech has neither. */
export const ALERT_HZ = [2130, 2750] as const;
/** GR-30-CORE: of each tone, dBm where the loop begins. */
export const ALERT_LEVEL_DBM0 = -15;
/** GR-30-CORE: 80 ± 5 ms off-hook. EN 300 659-1: 100 ± 10 ms on-hook. */
export const ALERT_MS = { off_hook: 80, on_hook: 100 } as const;

/** How long the acknowledgement may take to begin, and which digits are one: GR-30-CORE 2.5. */
export const ACKNOWLEDGEMENT = { withinMs: 160, digits: "DA" } as const;

export function alertSamples(hook: "on_hook" | "off_hook"): Int16Array {
  return tonePair(ALERT_HZ, [ALERT_LEVEL_DBM0, ALERT_LEVEL_DBM0], ALERT_MS[hook]);
}

/** Two sines together; a slope of 1 ms at both ends keeps clicks out of the band in which detectors listen. */
export function tonePair(
  hz: readonly [number, number],
  levelsDbm0: readonly [number, number],
  ms: number,
): Int16Array {
  const samples = new Int16Array((ms * TELEPHONE_RATE_HZ) / 1000);
  const slopeSamples = TELEPHONE_RATE_HZ / 1000;
  for (let i = 0; i < samples.length; i++) {
    const slope = Math.min(1, (i + 1) / slopeSamples, (samples.length - i) / slopeSamples);
    const sum = hz.reduce((total, each, tone) => {
      const amplitude = 32767 * 10 ** (((levelsDbm0[tone] as number) - FULL_SCALE_SINE_DBM0) / 20);
      return total + amplitude * Math.sin((2 * Math.PI * each * i) / TELEPHONE_RATE_HZ);
    }, 0);
    samples[i] = Math.round(slope * sum);
  }
  return samples;
}

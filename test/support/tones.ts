/** DTMF as a telephone's keypad makes it, in samples: for microphones that take nothing else. */
import type { Json } from "./client";

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477, 1633];
const KEYS = "123A456B789C*0#D";
const SAMPLES_PER_MS = 8;

/** Peak, in S16 steps, of a sine at the level: full scale is +3.14 dBm0 (ITU-T G.711). */
export const amplitudeOf = (levelDbm0: number): number => 32767 * 10 ** ((levelDbm0 - 3.14) / 20);

/** The options of POST /simulator/lines/{line}/press. */
export function toneSamples(digits: string, options: Json = {}): Int16Array<ArrayBuffer> {
  const { on_ms = 100, off_ms = 100, level_dbm0 = -10, twist_db = 0 } = options as Record<string, number>;
  const on = on_ms * SAMPLES_PER_MS;
  const period = on + off_ms * SAMPLES_PER_MS;
  const samples = new Int16Array(digits.length * period);
  [...digits].forEach((digit, index) => {
    const key = KEYS.indexOf(digit.toUpperCase());
    const tones = [
      { hz: ROWS_HZ[key >> 2] ?? 0, amplitude: amplitudeOf(level_dbm0 - twist_db / 2) },
      { hz: COLUMNS_HZ[key & 3] ?? 0, amplitude: amplitudeOf(level_dbm0 + twist_db / 2) },
    ];
    for (let i = 0; i < on; i++) {
      const sum = tones.reduce(
        (total, { hz, amplitude }) => total + amplitude * Math.sin((2 * Math.PI * hz * i) / 8000),
        0,
      );
      samples[index * period + i] = Math.round(Math.max(-32768, Math.min(32767, sum)));
    }
  });
  return samples;
}

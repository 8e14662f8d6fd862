/** How live sound stands in bytes, 8 kHz mono: for WebSockets and streams. */
import { ALAW_TO_S16, alawOfS16, ULAW_TO_S16, ulawOfS16 } from "./g711";

export type SampleFormatName = "slin16" | "mulaw" | "alaw";

export interface SampleFormat {
  sampleBytes: 1 | 2;
  /** May be a view of the samples: valid as long as they are. */
  encode(samples: Int16Array): Uint8Array<ArrayBuffer>;
  /** Whole samples only. */
  decode(bytes: Uint8Array): Int16Array;
}

const companded = (toS16: Int16Array, ofS16: (sample: number) => number): SampleFormat => ({
  sampleBytes: 1,
  encode: (samples) => {
    const bytes = new Uint8Array(samples.length);
    for (let i = 0; i < samples.length; i++) bytes[i] = ofS16(samples[i] as number);
    return bytes;
  },
  decode: (bytes) => {
    const samples = new Int16Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) samples[i] = toS16[bytes[i] as number] as number;
    return samples;
  },
});

export const SAMPLE_FORMATS: Record<SampleFormatName, SampleFormat> = {
  // S16LE: what every machine that we run on has in memory.
  slin16: {
    sampleBytes: 2,
    encode: ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
    decode: (bytes) => {
      const samples = new Int16Array(bytes.length >> 1);
      new Uint8Array(samples.buffer).set(bytes); // it may stand at an odd address
      return samples;
    },
  },
  mulaw: companded(ULAW_TO_S16, ulawOfS16),
  alaw: companded(ALAW_TO_S16, alawOfS16),
};

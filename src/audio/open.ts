/** From the bytes of a request to samples for the telephone: what it is, is said by its first bytes. */
import { AudioError } from "./error";
import { type PcmSource, TELEPHONE_RATE_HZ } from "./source";
import { parseWav, type WavFile } from "./wav";

/** Known, and not decoded in this version. */
const OTHER_FORMATS: readonly (readonly [string, (head: string) => boolean])[] = [
  ["Ogg", (head) => head.startsWith("OggS")],
  ["FLAC", (head) => head.startsWith("fLaC")],
  ["AU", (head) => head.startsWith(".snd")],
  ["AIFF", (head) => head.startsWith("FORM") && head.slice(8, 11) === "AIF"],
  ["M4A", (head) => head.slice(4, 8) === "ftyp"],
  ["MP3", (head) => head.startsWith("ID3")],
  ["big-endian WAV", (head) => head.startsWith("RIFX")],
  ["RF64", (head) => head.startsWith("RF64")],
];

/** Throws AudioError. */
export async function openAudio(bytes: Uint8Array): Promise<PcmSource> {
  if (bytes.byteLength === 0)
    throw new AudioError("empty", "There is no sound in the body: send S16LE 8 kHz mono or WAV.");
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (head.startsWith("RIFF")) return openWav(parseWav(bytes), bytes.byteLength);
  const other = OTHER_FORMATS.find(([, is]) => is(head));
  if (other) {
    const detail = `${other[0]} is not decoded in this version: send WAV, or raw S16LE 8 kHz mono (ffmpeg -i FILE -ar 8000 -ac 1 -f s16le -).`;
    throw new AudioError("unsupported_format", detail);
  }
  return openRaw(bytes);
}

function openRaw(bytes: Uint8Array): PcmSource {
  if (bytes.byteLength % 2 !== 0) {
    const detail = `Raw sound is two bytes a sample (S16LE, 8 kHz, mono), and ${bytes.byteLength} bytes are not a whole number of them.`;
    throw new AudioError("odd_length", detail);
  }
  // A copy only where the bytes do not lie on an even address.
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : bytes.slice();
  const samples = new Int16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
  let at = 0;
  return {
    samples: samples.length,
    heldBytes: samples.byteLength,
    read(into) {
      const chunk = samples.subarray(at, at + into.length);
      into.set(chunk);
      at += chunk.length;
      return chunk.length;
    },
  };
}

/** Channels mixed down; −1 … 1. */
function readFrames(file: WavFile, from: number, into: Float32Array): number {
  const { format, data } = file;
  const count = Math.min(into.length, file.frames - from);
  let at = from * format.channels * format.sampleBytes;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    for (let channel = 0; channel < format.channels; channel++, at += format.sampleBytes)
      sum += format.decode(data, at);
    into[i] = sum / format.channels;
  }
  return count;
}

/** A full-scale float is one step beyond what S16 holds; NaN in a float file is silence. */
const toS16 = (value: number): number => Math.max(-32768, Math.min(32767, Math.round(value * 32768))) || 0;

async function openWav(file: WavFile, heldBytes: number): Promise<PcmSource> {
  if (file.format.sampleRateHz !== TELEPHONE_RATE_HZ) return openResampled(file, heldBytes);
  const frames = new Float32Array(4096);
  let at = 0;
  return {
    samples: file.frames,
    heldBytes,
    read(into) {
      const count = readFrames(file, at, frames.subarray(0, Math.min(into.length, frames.length)));
      for (let i = 0; i < count; i++) into[i] = toS16(frames[i] as number);
      at += count;
      return count;
    },
  };
}

/** Input frames for each call of the resampler: a tenth of a second at 48 kHz keeps every call short. */
const RESAMPLE_FRAMES = 4800;

/** libsamplerate, band-limited sinc: 120 dB in band, loaded when the first such file comes. */
async function openResampled(file: WavFile, heldBytes: number): Promise<PcmSource> {
  const { create, ConverterType } = await import("@alexanderolsen/libsamplerate-js");
  const resampler = await create(1, file.format.sampleRateHz, TELEPHONE_RATE_HZ, {
    converterType: ConverterType.SRC_SINC_MEDIUM_QUALITY,
  });
  const total = Math.round((file.frames * TELEPHONE_RATE_HZ) / file.format.sampleRateHz);
  const frames = new Float32Array(RESAMPLE_FRAMES);
  let at = 0;
  let given = 0;
  let ready: Float32Array = new Float32Array(0);
  return {
    samples: total,
    heldBytes,
    read(into) {
      if (given === total) return 0;
      while (ready.length === 0) {
        // Past the end it is fed silence, until what it still holds has come out.
        const count = readFrames(file, at, frames);
        frames.fill(0, count);
        at += count;
        ready = resampler.full(frames).slice();
      }
      const count = Math.min(into.length, ready.length, total - given);
      for (let i = 0; i < count; i++) into[i] = toS16(ready[i] as number);
      ready = ready.subarray(count);
      given += count;
      if (given === total) resampler.destroy();
      return count;
    },
  };
}

/**
 * WAV (RIFF), both ways. Reading walks the chunks itself and converts on demand: the libraries for it inflate a
 * whole file to 64-bit floats, eight times its size, before the first sample can be heard.
 */

import { AudioError } from "./error";
import { ALAW_TO_S16, ULAW_TO_S16 } from "./g711";

export interface WavFormat {
  sampleRateHz: number;
  channels: number;
  /** Bytes of one channel's sample. */
  sampleBytes: number;
  /** One channel's sample at a byte offset of the data, −1 … 1. */
  decode: (data: DataView, at: number) => number;
}

export interface WavFile {
  format: WavFormat;
  data: DataView;
  /** Samples of each channel. */
  frames: number;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_ALAW = 6;
const FORMAT_ULAW = 7;
const FORMAT_EXTENSIBLE = 0xfffe;
const MAX_CHANNELS = 8;
const MIN_RATE_HZ = 4000;
const MAX_RATE_HZ = 192_000; /* the resampler takes no more */
const S16_SCALE = 32768;

const malformed = (what: string): AudioError => new AudioError("malformed", `This WAV file is broken: ${what}.`);

function decoder(code: number, bits: number): WavFormat["decode"] {
  switch (`${code}/${bits}`) {
    case `${FORMAT_PCM}/8`:
      return (data, at) => (data.getUint8(at) - 128) / 128;
    case `${FORMAT_PCM}/16`:
      return (data, at) => data.getInt16(at, true) / S16_SCALE;
    case `${FORMAT_PCM}/24`:
      return (data, at) => (data.getInt16(at + 1, true) * 256 + data.getUint8(at)) / 8_388_608;
    case `${FORMAT_PCM}/32`:
      return (data, at) => data.getInt32(at, true) / 2_147_483_648;
    case `${FORMAT_FLOAT}/32`:
      return (data, at) => data.getFloat32(at, true);
    case `${FORMAT_FLOAT}/64`:
      return (data, at) => data.getFloat64(at, true);
    case `${FORMAT_ULAW}/8`:
      return (data, at) => (ULAW_TO_S16[data.getUint8(at)] as number) / S16_SCALE;
    case `${FORMAT_ALAW}/8`:
      return (data, at) => (ALAW_TO_S16[data.getUint8(at)] as number) / S16_SCALE;
    default:
      throw new AudioError(
        "unsupported_format",
        `This WAV file holds format ${code} with ${bits} bits: send PCM (8, 16, 24, 32 bit), float, mu-law or A-law.`,
      );
  }
}

function parseFormat(chunk: DataView): WavFormat {
  if (chunk.byteLength < 16) throw malformed("its fmt chunk is too short");
  let code = chunk.getUint16(0, true);
  const channels = chunk.getUint16(2, true);
  const sampleRateHz = chunk.getUint32(4, true);
  const blockBytes = chunk.getUint16(12, true);
  const bits = chunk.getUint16(14, true);
  if (code === FORMAT_EXTENSIBLE) {
    if (chunk.byteLength < 26) throw malformed("its extensible format is too short");
    code = chunk.getUint16(24, true);
  }
  if (channels < 1 || channels > MAX_CHANNELS)
    throw malformed(`it has ${channels} channels (1 to ${MAX_CHANNELS})`);
  if (sampleRateHz < MIN_RATE_HZ || sampleRateHz > MAX_RATE_HZ) {
    throw malformed(`its sample rate is ${sampleRateHz} Hz (${MIN_RATE_HZ} to ${MAX_RATE_HZ})`);
  }
  const decode = decoder(code, bits);
  if (blockBytes !== (channels * bits) / 8) throw malformed("its block size contradicts its format");
  return { sampleRateHz, channels, sampleBytes: bits / 8, decode };
}

/** Throws AudioError. A header that promises more than the file holds is refused: the rest was lost. */
export function parseWav(bytes: Uint8Array): WavFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.byteLength < 12 || tag(8) !== "WAVE") throw malformed("it is not a WAVE file");
  let format: WavFormat | null = null;
  let at = 12;
  while (at + 8 <= bytes.byteLength) {
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    const there = bytes.byteLength - start;
    const name = tag(at);
    if (name === "fmt ") {
      if (size > there) throw new AudioError("truncated", "This WAV file ends inside its header: send all of it.");
      format = parseFormat(new DataView(bytes.buffer, bytes.byteOffset + start, size));
    }
    if (name === "data") {
      if (!format) throw malformed("its data comes before its format");
      // Written by programs that stream and cannot know the length yet: all that follows is data.
      const unknown = size === 0xffffffff || (size === 0 && there > 0);
      if (!unknown && size > there) {
        const detail = `This WAV file promises ${size} bytes of sound and holds ${there}: send all of it.`;
        throw new AudioError("truncated", detail);
      }
      const frameBytes = format.channels * format.sampleBytes;
      const frames = Math.floor((unknown ? there : size) / frameBytes);
      const data = new DataView(bytes.buffer, bytes.byteOffset + start, frames * frameBytes);
      return { format, data, frames };
    }
    at = start + size + (size % 2);
  }
  throw new AudioError("truncated", "This WAV file has no sound in it: its data chunk is missing.");
}

/** An 8 kHz S16 mono file. */
export function encodeWav(samples: Int16Array, sampleRateHz = 8000): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(44 + samples.byteLength);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string): void => {
    for (let i = 0; i < 4; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  tag(0, "RIFF");
  view.setUint32(4, 36 + samples.byteLength, true);
  tag(8, "WAVE");
  tag(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  tag(36, "data");
  view.setUint32(40, samples.byteLength, true);
  new Int16Array(bytes.buffer, 44).set(samples);
  return bytes;
}

import { describe, expect, test } from "bun:test";
import { AudioError } from "../../../src/audio/error";
import { ALAW_TO_S16, ULAW_TO_S16 } from "../../../src/audio/g711";
import { openAudio } from "../../../src/audio/open";
import { encodeWav } from "../../../src/audio/wav";
import { noise, readArriving } from "../../support/stepped";

interface WavParts {
  code: number;
  bits: number;
  rateHz?: number;
  channels?: number;
  extensible?: boolean;
  data: Uint8Array;
}

/** A WAV file built by hand, so that the reader is not tested against the writer. */
function wav({ code, bits, rateHz = 8000, channels = 1, extensible = false, data }: WavParts): Uint8Array {
  const formatBytes = extensible ? 40 : 16;
  const bytes = new Uint8Array(12 + 8 + formatBytes + 8 + 10 + data.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, tag: string) => bytes.set(new TextEncoder().encode(tag), at);
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, formatBytes, true);
  view.setUint16(20, extensible ? 0xfffe : code, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, (rateHz * channels * bits) / 8, true);
  view.setUint16(32, (channels * bits) / 8, true);
  view.setUint16(34, bits, true);
  if (extensible) view.setUint16(44, code, true);
  let at = 20 + formatBytes;
  text(at, "LIST"); // a chunk to be passed over
  view.setUint32(at + 4, 2, true);
  at += 10;
  text(at, "data");
  view.setUint32(at + 4, data.length, true);
  bytes.set(data, at + 8);
  return bytes;
}

const bytesOf = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

async function fails(bytes: Uint8Array): Promise<string> {
  try {
    await openAudio(bytes);
  } catch (error) {
    if (error instanceof AudioError) return error.code;
    throw error;
  }
  return "opened";
}

describe("raw sound", () => {
  test("is S16LE 8 kHz, also from an odd address", async () => {
    const samples = noise(3001);
    const shifted = new Uint8Array(samples.byteLength + 1);
    shifted.set(bytesOf(samples), 1);
    expect(await readArriving(await openAudio(bytesOf(samples)))).toEqual(samples);
    expect(await readArriving(await openAudio(shifted.subarray(1)))).toEqual(samples);
  });

  test("of an odd length, or of none, is refused", async () => {
    expect(await fails(new Uint8Array(3))).toBe("odd_length");
    expect(await fails(new Uint8Array(0))).toBe("empty");
  });
});

describe("WAV at 8 kHz", () => {
  const samples = noise(5000);

  test("16 bit comes out bit for bit, plain and extensible", async () => {
    const data = bytesOf(samples);
    expect(await readArriving(await openAudio(wav({ code: 1, bits: 16, data })))).toEqual(samples);
    expect(await readArriving(await openAudio(wav({ code: 1, bits: 16, extensible: true, data })))).toEqual(
      samples,
    );
    expect(await readArriving(await openAudio(encodeWav(samples)))).toEqual(samples);
  });

  test("24 and 32 bit and floats come out bit for bit", async () => {
    const wide = Int32Array.from(samples, (sample) => sample * 65536);
    const three = new Uint8Array(samples.length * 3);
    samples.forEach((sample, i) => {
      three[3 * i + 1] = sample & 0xff;
      three[3 * i + 2] = (sample >> 8) & 0xff;
    });
    const floats = Float32Array.from(samples, (sample) => sample / 32768);
    const doubles = Float64Array.from(samples, (sample) => sample / 32768);
    expect(await readArriving(await openAudio(wav({ code: 1, bits: 32, data: bytesOf(wide) })))).toEqual(samples);
    expect(await readArriving(await openAudio(wav({ code: 1, bits: 24, data: three })))).toEqual(samples);
    expect(await readArriving(await openAudio(wav({ code: 3, bits: 32, data: bytesOf(floats) })))).toEqual(
      samples,
    );
    expect(await readArriving(await openAudio(wav({ code: 3, bits: 64, data: bytesOf(doubles) })))).toEqual(
      samples,
    );
  });

  test("8 bit is unsigned", async () => {
    const data = Uint8Array.from([0, 128, 255]);
    expect([...(await readArriving(await openAudio(wav({ code: 1, bits: 8, data }))))]).toEqual([
      -32768, 0, 32512,
    ]);
  });

  test("mu-law and A-law follow G.711", async () => {
    const data = Uint8Array.from({ length: 256 }, (_, code) => code);
    expect(await readArriving(await openAudio(wav({ code: 7, bits: 8, data })))).toEqual(ULAW_TO_S16);
    expect(await readArriving(await openAudio(wav({ code: 6, bits: 8, data })))).toEqual(ALAW_TO_S16);
    // ITU-T G.711 tables 2a and 1a: the decoder's largest and smallest values (14 and 13 bit, here times 4 and 8).
    expect([ULAW_TO_S16[0x80], ULAW_TO_S16[0xff], ULAW_TO_S16[0xfe], ULAW_TO_S16[0x00]]).toEqual([
      32124, 0, 8, -32124,
    ]);
    expect([ALAW_TO_S16[0xaa], ALAW_TO_S16[0xd5], ALAW_TO_S16[0x55], ALAW_TO_S16[0x2a]]).toEqual([
      32256, 8, -8, -32256,
    ]);
  });

  test("stereo is mixed down", async () => {
    const data = bytesOf(Int16Array.from([1000, 3000, -2000, 0]));
    expect([...(await readArriving(await openAudio(wav({ code: 1, bits: 16, channels: 2, data }))))]).toEqual([
      2000, -1000,
    ]);
  });

  test("too loud floats saturate, NaN is silence", async () => {
    const data = bytesOf(Float32Array.from([2, -2, Number.NaN]));
    expect([...(await readArriving(await openAudio(wav({ code: 3, bits: 32, data }))))]).toEqual([
      32767, -32768, 0,
    ]);
  });

  test("broken files are refused", async () => {
    const whole = wav({ code: 1, bits: 16, data: bytesOf(samples) });
    expect(await fails(whole.subarray(0, 2000))).toBe("truncated");
    expect(await fails(whole.subarray(0, 40))).toBe("truncated");
    expect(await fails(whole.subarray(0, 24))).toBe("truncated");
    expect(await fails(new TextEncoder().encode("RIFF"))).toBe("malformed");
    expect(await fails(wav({ code: 1, bits: 16, channels: 0, data: bytesOf(samples) }))).toBe("malformed");
    expect(await fails(wav({ code: 1, bits: 16, rateHz: 1, data: bytesOf(samples) }))).toBe("malformed");
    expect(await fails(wav({ code: 1, bits: 16, rateHz: 200_000, data: bytesOf(samples) }))).toBe("malformed");
    expect(await fails(wav({ code: 49, bits: 0, data: bytesOf(samples) }))).toBe("unsupported_format");
    expect(await fails(new TextEncoder().encode("FORM1234AIFF"))).toBe("unsupported_format");
    expect(await fails(new TextEncoder().encode("ID3 and more."))).toBe("malformed");
  });
});

describe("resampling", () => {
  /** Signal-to-noise ratio in dB of what should be a sine, after least squares; edges left out. */
  function sineSnrDb(samples: Int16Array, frequencyHz: number): number {
    const inner = samples.subarray(400, samples.length - 400);
    let sin = 0;
    let cos = 0;
    inner.forEach((value, i) => {
      sin += value * Math.sin((2 * Math.PI * frequencyHz * i) / 8000);
      cos += value * Math.cos((2 * Math.PI * frequencyHz * i) / 8000);
    });
    sin *= 2 / inner.length;
    cos *= 2 / inner.length;
    let error = 0;
    let power = 0;
    inner.forEach((value, i) => {
      const phase = (2 * Math.PI * frequencyHz * i) / 8000;
      const model = sin * Math.sin(phase) + cos * Math.cos(phase);
      error += (value - model) ** 2;
      power += model ** 2;
    });
    return 10 * Math.log10(power / error);
  }

  test.each([7999, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 191_999])(
    "from %d Hz keeps 70 dB in band and the length",
    async (rateHz) => {
      const tone = Int16Array.from({ length: rateHz * 2 }, (_, i) =>
        Math.round(20_000 * Math.sin((2 * Math.PI * 1000 * i) / rateHz)),
      );
      const source = await openAudio(wav({ code: 1, bits: 16, rateHz, data: bytesOf(tone) }));
      const heard = await readArriving(source);
      expect(source.samples).toBe(16_000);
      expect(heard.length).toBe(16_000);
      expect(sineSnrDb(heard, 1000)).toBeGreaterThan(70);
    },
  );

  test("what a telephone cannot carry does not fold back", async () => {
    const whistle = Int16Array.from({ length: 48_000 }, (_, i) =>
      Math.round(20_000 * Math.sin((2 * Math.PI * 6000 * i) / 48_000)),
    );
    const heard = await readArriving(
      await openAudio(wav({ code: 1, bits: 16, rateHz: 48_000, data: bytesOf(whistle) })),
    );
    expect(Math.max(...heard.subarray(200, 7800))).toBeLessThan(10);
  });
});

/** The header of a file that is written while its length grows: PCM, S16, of one or two channels, 44 bytes. */

export const WAV_HEADER_BYTES = 44;
export const WAV_SAMPLE_BYTES = 2;
const PCM = 1;
const FMT_BYTES = 16;

export function wavHeader(channels: 1 | 2, sampleRateHz: number, dataBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const tag = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  tag(0, "RIFF");
  view.setUint32(4, WAV_HEADER_BYTES - 8 + dataBytes, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, FMT_BYTES, true);
  view.setUint16(20, PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * channels * WAV_SAMPLE_BYTES, true);
  view.setUint16(32, channels * WAV_SAMPLE_BYTES, true);
  view.setUint16(34, WAV_SAMPLE_BYTES * 8, true);
  tag(36, "data");
  view.setUint32(40, dataBytes, true);
  return bytes;
}

/** What a header of ours says; null: it is none. */
export function readWavHeader(bytes: Uint8Array): { channels: 1 | 2; dataBytes: number } | null {
  if (bytes.byteLength < WAV_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const channels = view.getUint16(22, true);
  if (channels !== 1 && channels !== 2) return null;
  const dataBytes = view.getUint32(40, true);
  const ours = wavHeader(channels, view.getUint32(24, true), dataBytes);
  // The two lengths are written together, and may be torn apart.
  ours.set(bytes.subarray(4, 8), 4);
  return ours.every((byte, i) => byte === bytes[i]) ? { channels, dataBytes } : null;
}

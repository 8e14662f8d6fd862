/**
 * What the encoder tells of a stream's length in a first frame without sound (Xing's, with LAME's extension; VBRI is
 * Fraunhofer's): an encoder's own delay stands before the sound, and its last frame is filled up behind it.
 */
import type { Mp3Frame } from "./mp3_frames";

/** Every decoder delays by that much more. */
const DECODER_DELAY_SAMPLES = 529;
const VBRI_AT = 36;
const FRAMES_FLAG = 1;
const BYTES_FLAG = 2;
const TABLE_FLAG = 4;
const QUALITY_FLAG = 8;
const TABLE_BYTES = 100;
/** Within the extension, which begins with the encoder's name. */
const DELAYS_AT = 21;
/** Others have written other things there. */
const NAMES = ["LAME", "Lavf", "Lavc"];

export interface StreamLength {
  /** Samples before the sound. */
  skip: number;
  /** Of the sound; null: it does not say. */
  samples: number | null;
  /** Behind it, up to the end of its frames. */
  padding: number;
}

export const UNTOLD: StreamLength = { skip: 0, samples: null, padding: 0 };

const text = (data: Uint8Array, at: number): string => String.fromCharCode(...data.subarray(at, at + 4));

/** null: this frame is sound. */
export function streamLength({ head, data }: Mp3Frame): StreamLength | null {
  if (head.layer !== 3) return null;
  if (text(data, VBRI_AT) === "VBRI") return UNTOLD;
  const sideBytes = head.first ? (head.mono ? 17 : 32) : head.mono ? 9 : 17;
  const mark = text(data, 4 + sideBytes);
  if (mark !== "Xing" && mark !== "Info") return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let at = 4 + sideBytes + 4;
  if (data.length < at + 8) return UNTOLD;
  const flags = view.getUint32(at);
  at += 4;
  const frames = (flags & FRAMES_FLAG) !== 0 ? view.getUint32(at) : 0;
  if ((flags & FRAMES_FLAG) !== 0) at += 4;
  if ((flags & BYTES_FLAG) !== 0) at += 4;
  if ((flags & TABLE_FLAG) !== 0) at += TABLE_BYTES;
  if ((flags & QUALITY_FLAG) !== 0) at += 4;
  if (data.length < at + DELAYS_AT + 3 || !NAMES.includes(text(data, at))) return UNTOLD;
  const delay = (view.getUint8(at + DELAYS_AT) << 4) | (view.getUint8(at + DELAYS_AT + 1) >> 4);
  const padding = ((view.getUint8(at + DELAYS_AT + 1) & 15) << 8) | view.getUint8(at + DELAYS_AT + 2);
  const skip = delay + DECODER_DELAY_SAMPLES;
  const samples = frames * head.samples - delay - padding;
  if (samples <= 0) return { ...UNTOLD, skip };
  return { skip, samples, padding: Math.max(0, padding - DECODER_DELAY_SAMPLES) };
}

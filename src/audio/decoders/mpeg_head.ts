/** The four bytes that every frame of MPEG audio begins with (ISO 11172-3, 13818-3, and 2.5, which is nobody's norm). */

const BITRATES_KBPS: Record<string, readonly number[]> = {
  "1/1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1/2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1/3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2/1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2/2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2/3": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const RATES_HZ = [44_100, 48_000, 32_000];
const BAD_BITRATE = 15;
export const MPEG_HEAD_BYTES = 4;

export interface MpegHead {
  /** Version, layer and rate: what no frame of a file differs in from the others. */
  kind: number;
  layer: number;
  /** MPEG-1; else 2 or 2.5. */
  first: boolean;
  rateHz: number;
  mono: boolean;
  /** Of each channel. */
  samples: number;
  /** Of the frame; null: free format, and only the distance to the next one tells it. */
  bytes: number | null;
  /** Already in bytes; where those are null, to be added to what the frames have in common. */
  paddingBytes: number;
}

export function mpegHead(bytes: Uint8Array, at = 0): MpegHead | null {
  const [sync = 0, shape = 0, rates = 0, mode = 0] = bytes.subarray(at, at + MPEG_HEAD_BYTES);
  if (bytes.length - at < MPEG_HEAD_BYTES || sync !== 0xff || (shape & 0xe0) !== 0xe0) return null;
  const version = (shape >> 3) & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
  const layer = 4 - ((shape >> 1) & 3);
  const bitrate = rates >> 4;
  const firstRateHz = RATES_HZ[(rates >> 2) & 3];
  if (version === 1 || layer === 4 || bitrate === BAD_BITRATE || firstRateHz === undefined) return null;
  const first = version === 3;
  const rateHz = firstRateHz / (first ? 1 : version === 2 ? 2 : 4);
  const kbps = BITRATES_KBPS[`${first ? 1 : 2}/${layer}`]?.[bitrate - 1] ?? 0;
  const paddingBytes = ((rates >> 1) & 1) * (layer === 1 ? 4 : 1);
  const head = { kind: ((shape & 0x1e) << 8) | (rates & 0x0c), layer, first, rateHz, mono: mode >> 6 === 3 };
  const samples = layer === 1 ? 384 : layer === 3 && !first ? 576 : 1152;
  const slots =
    layer === 1 ? Math.floor((12_000 * kbps) / rateHz) * 4 : Math.floor((samples * 125 * kbps) / rateHz);
  return { ...head, samples, bytes: bitrate === 0 ? null : slots + paddingBytes, paddingBytes };
}

/** MPEG audio layers 1 to 3, by mpg123. */
import type { ByteStream } from "../byte_stream";
import { type Decoder, malformed, mixPlanar } from "./decoder";
import { intoWasm, WasmCell, type WasmMemory, wasmDecoder } from "./wasm";

interface Mpg123 {
  mpeg_frame_decoder_create(handle: number, gapless: number): number;
  mpeg_frame_decoder_destroy(handle: number): void;
  mpeg_decoder_feed(handle: number, input: number, bytes: number): number;
  /** Two channels always, one after the other. */
  mpeg_decoder_read(
    handle: number,
    output: number,
    floats: number,
    frames: number,
    rateHz: number,
    error: number,
  ): number;
}

const instance = wasmDecoder<Mpg123>(() => import("./mpg123"));

const NEED_MORE = -10;
const NEW_FORMAT = -11;
const DONE = -12;
const FEED_BYTES = 4096;
/** Of the first: two frames, since WebAssembly that has just been compiled takes 2 ms for each. */
const FIRST_FEED_BYTES = 1024;
/** As the package sets it: 16 frames of the longest kind, with the first one's. */
const OUTPUT_FLOATS = 2889 * 16 * 2;
/** Without a sound in so many bytes it is no MP3. */
const MAX_SILENT_BYTES = 512 * 1024;
const MAX_ERRORS = 64;

const ID3_HEAD_BYTES = 10;
/** A tag holds pictures; none is as large as this. */
const MAX_TAG_BYTES = 64 * 1024 * 1024;

const BITRATES_KBPS: Record<string, readonly number[]> = {
  "1/1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1/2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1/3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2/1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2/2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
  "2/3": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const RATES_HZ = [44_100, 48_000, 32_000];

/** The length of the frame that these four bytes begin; 0: they begin none. */
function frameBytes(head: Uint8Array): number {
  const [sync, shape, rates] = head as unknown as [number, number, number];
  if (head.length < 4 || sync !== 0xff || (shape & 0xe0) !== 0xe0) return 0;
  const version = (shape >> 3) & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
  const layer = 4 - ((shape >> 1) & 3);
  const rateHz = (RATES_HZ[(rates >> 2) & 3] ?? 0) / (version === 3 ? 1 : version === 2 ? 2 : 4);
  const kbps = BITRATES_KBPS[`${version === 3 ? 1 : 2}/${layer}`]?.[(rates >> 4) - 1] ?? 0;
  if (version === 1 || rateHz === 0 || kbps === 0) return 0;
  const padding = (rates >> 1) & 1;
  if (layer === 1) return (Math.floor((12_000 * kbps) / rateHz) + padding) * 4;
  const samples = layer === 3 && version !== 3 ? 72 : 144;
  return Math.floor((samples * 1000 * kbps) / rateHz) + padding;
}

/** A tag, or two frames of a kind in a row: raw sound may well begin like one. */
export async function isMp3(bytes: ByteStream): Promise<boolean> {
  const head = bytes.peek(4).slice();
  if (String.fromCharCode(...head.subarray(0, 3)) === "ID3") return true;
  const length = frameBytes(head);
  if (length === 0) return false;
  await bytes.atLeast(length + 4);
  const next = bytes.peek(length + 4).subarray(length);
  return frameBytes(next) > 0 && next[1] === head[1] && (((next[2] ?? 0) ^ (head[2] ?? 0)) & 0x0c) === 0;
}

/** mpg123 would keep a tag in memory: it is passed over here. */
async function skipTags(bytes: ByteStream): Promise<void> {
  for (;;) {
    await bytes.atLeast(ID3_HEAD_BYTES);
    const head = bytes.peek(ID3_HEAD_BYTES);
    if (head.length < ID3_HEAD_BYTES || String.fromCharCode(...head.subarray(0, 3)) !== "ID3") return;
    const size = head.subarray(6, 10).reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);
    const footerBytes = ((head[5] as number) & 0x10) !== 0 ? 10 : 0;
    if (size > MAX_TAG_BYTES) throw malformed("MP3", "its tag is too long");
    for (let left = ID3_HEAD_BYTES + size + footerBytes; left > 0; ) {
      left -= bytes.skip(left);
      if (left > 0) await bytes.atLeast(1);
      if (left > 0 && bytes.available === 0) throw malformed("MP3", "there is no sound behind its tag");
    }
  }
}

export async function openMp3(bytes: ByteStream): Promise<Decoder> {
  await skipTags(bytes);
  return new Mp3Decoder(await instance());
}

class Mp3Decoder implements Decoder {
  rateHz = 0;
  readonly frames = null;
  readonly costly = true;
  readonly #handle: number;
  readonly #input: number;
  readonly #output: number;
  readonly #count: WasmCell;
  readonly #rate: WasmCell;
  readonly #error: WasmCell;
  #silentBytes = 0;
  #errors = 0;
  #fed = false;
  #done = false;

  constructor(private readonly wasm: Mpg123 & WasmMemory) {
    this.#input = wasm.malloc(FEED_BYTES);
    this.#output = wasm.malloc(OUTPUT_FLOATS * 4);
    this.#count = new WasmCell(wasm);
    this.#rate = new WasmCell(wasm);
    this.#error = new WasmCell(wasm);
    const handle = new WasmCell(wasm);
    if (wasm.mpeg_frame_decoder_create(handle.pointer, 1) !== 0) throw new Error("mpg123 did not start");
    this.#handle = handle.value;
  }

  next(bytes: ByteStream): Float32Array | null {
    while (!this.#done) {
      if (!this.#fed && !this.#feed(bytes)) {
        if (bytes.ended && this.rateHz === 0) throw malformed("MP3", "there is no sound in it");
        return null;
      }
      const piece = this.#read();
      if (piece) return piece;
    }
    bytes.skip(bytes.available);
    return null;
  }

  #feed(bytes: ByteStream): boolean {
    if (bytes.available === 0) return false;
    const part = bytes.take(this.rateHz === 0 ? FIRST_FEED_BYTES : FEED_BYTES);
    this.#silentBytes += part.length;
    if (this.#silentBytes > MAX_SILENT_BYTES) throw malformed("MP3", "there is no sound in it any more");
    intoWasm(this.wasm, this.#input, part);
    this.wasm.mpeg_decoder_feed(this.#handle, this.#input, part.length);
    this.#fed = true;
    return true;
  }

  #read(): Float32Array | null {
    this.#count.value = 0;
    const code = this.wasm.mpeg_decoder_read(
      this.#handle,
      this.#output,
      OUTPUT_FLOATS,
      this.#count.pointer,
      this.#rate.pointer,
      this.#error.pointer,
    );
    const count = this.#count.value;
    if (code === DONE) this.#done = true;
    else if (code === NEED_MORE) this.#fed = false;
    else if (code !== 0 && code !== NEW_FORMAT) {
      if (++this.#errors > MAX_ERRORS) throw malformed("MP3", "its sound cannot be read");
      this.#fed = false; // it finds the next frame by itself
    }
    if (count <= 0 || count > OUTPUT_FLOATS / 2) return null;
    this.#errors = 0;
    this.#silentBytes = 0;
    const rateHz = this.#rate.value;
    if (this.rateHz !== 0 && rateHz !== this.rateHz) throw malformed("MP3", "its sample rate changes on the way");
    this.rateHz = rateHz;
    return mixPlanar(new Float32Array(this.wasm.HEAP, this.#output, count * 2), 2, count, count);
  }
}

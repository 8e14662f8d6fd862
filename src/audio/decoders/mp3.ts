/**
 * MPEG audio layers 1 to 3, by mpg123. It gets frames and nothing else; where files were joined, or the kind of frames
 * changes, a new one begins. What an encoder adds before and behind the sound is taken off here.
 */
import type { ByteStream } from "../byte_stream";
import { type Decoder, malformed, mixPlanar } from "./decoder";
import { firstFrameBytes, type Mp3Frame, Mp3Frames } from "./mp3_frames";
import { type StreamLength, streamLength, UNTOLD } from "./mp3_length";
import type { MpegHead } from "./mpeg_head";
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

/** Not the end of what it has: where the format is a new one. */
const NEW_FORMAT = -11;
const MAX_FRAME_BYTES = 8 * 1024;
/** As the package sets it: 16 frames of the longest kind, with the first one's. */
const OUTPUT_FLOATS = 2889 * 16 * 2;
const MAX_ERRORS = 64;
/** Each costs a new start: a file of nothing else is meant to keep us busy. */
const MAX_SILENT_PARTS = 16;

/** Two frames of a kind in a row: raw sound may well begin like one. */
export async function isMp3(bytes: ByteStream): Promise<boolean> {
  for (;;) {
    const length = firstFrameBytes(bytes);
    if (length !== null) return length > 0;
    await bytes.change();
  }
}

export async function openMp3(): Promise<Decoder> {
  return new Mp3Decoder(await instance());
}

class Mp3Decoder implements Decoder {
  rateHz = 0;
  readonly frames = null;
  readonly costly = true;
  readonly #cut = new Mp3Frames();
  readonly #handle: WasmCell;
  readonly #input: number;
  readonly #output: number;
  readonly #count: WasmCell;
  readonly #rate: WasmCell;
  readonly #error: WasmCell;
  /** Of the part's frames; null: nothing has begun. */
  #head: MpegHead | null = null;
  #length: StreamLength = UNTOLD;
  /** Of this part. */
  #decoded = 0;
  #errors = 0;
  #silentParts = 0;

  constructor(private readonly wasm: Mpg123 & WasmMemory) {
    this.#input = wasm.malloc(MAX_FRAME_BYTES);
    this.#output = wasm.malloc(OUTPUT_FLOATS * 4);
    this.#count = new WasmCell(wasm);
    this.#rate = new WasmCell(wasm);
    this.#error = new WasmCell(wasm);
    this.#handle = new WasmCell(wasm);
  }

  next(bytes: ByteStream): Float32Array | null {
    const frame = this.#cut.next(bytes);
    if (!frame) {
      if (bytes.ended && !this.#head) throw malformed("MP3", "there is no sound in it");
      return null;
    }
    const length = streamLength(frame);
    if (length || this.#head?.kind !== frame.head.kind || this.#head.mono !== frame.head.mono)
      this.#begin(frame.head, length ?? UNTOLD);
    if (length) return new Float32Array(0);
    const piece = this.#trimmed(this.#decode(frame));
    if (piece.length > 0) this.#silentParts = 0;
    return piece;
  }

  #begin(head: MpegHead, length: StreamLength): void {
    if (++this.#silentParts > MAX_SILENT_PARTS) throw malformed("MP3", "there is no sound in its parts");
    if (this.#head) this.wasm.mpeg_frame_decoder_destroy(this.#handle.value);
    if (this.wasm.mpeg_frame_decoder_create(this.#handle.pointer, 0) !== 0)
      throw new Error("mpg123 did not start");
    this.#head = head;
    this.rateHz = head.rateHz;
    this.#length = length;
    this.#decoded = 0;
  }

  /** As many samples as the frame has: what cannot be read is silence. */
  #decode({ head, data }: Mp3Frame): Float32Array {
    intoWasm(this.wasm, this.#input, data);
    this.wasm.mpeg_decoder_feed(this.#handle.value, this.#input, data.length);
    const samples = new Float32Array(head.samples);
    for (let filled = 0; ; ) {
      this.#count.value = 0;
      const code = this.wasm.mpeg_decoder_read(
        this.#handle.value,
        this.#output,
        OUTPUT_FLOATS,
        this.#count.pointer,
        this.#rate.pointer,
        this.#error.pointer,
      );
      const count = this.#count.value;
      if (count > 0 && count <= OUTPUT_FLOATS / 2 && this.#rate.value === head.rateHz) {
        const planes = new Float32Array(this.wasm.HEAP, this.#output, count * 2);
        const taken = Math.min(count, samples.length - filled);
        samples.set(mixPlanar(planes, 2, taken, count), filled);
        filled += taken;
        this.#errors = 0;
      }
      if (code === NEW_FORMAT) continue;
      if (filled === 0 && ++this.#errors > MAX_ERRORS) throw malformed("MP3", "its sound cannot be read");
      return samples;
    }
  }

  /** Without what the encoder added. Frames that it did not count are another's, joined on without a head. */
  #trimmed(piece: Float32Array): Float32Array {
    const { skip, samples, padding } = this.#length;
    const at = this.#decoded;
    this.#decoded += piece.length;
    if (samples === null) return piece.subarray(Math.max(0, skip - at));
    const end = skip + samples;
    if (at >= end + padding) return piece;
    return piece.subarray(Math.max(0, skip - at), Math.max(0, end - at));
  }
}

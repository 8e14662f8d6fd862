/** FLAC, in its own file or in Ogg, by libFLAC. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { checkShape, type Decoder, malformed, mixPlanar, truncated } from "./decoder";
import { FlacFrames, headBytes } from "./flac_frames";
import type { OggPacket } from "./ogg";
import type { OggCodec, OggStream } from "./ogg_chain";
import { intoWasm, WasmCell, type WasmMemory, wasmDecoder } from "./wasm";

interface LibFlac {
  create_decoder(
    channels: number,
    rateHz: number,
    bits: number,
    frames: number,
    output: number,
    outputFloats: number,
    error: number,
    state: number,
  ): number;
  /** Frees the input; the output, channels one after another, is for us to free. */
  decode_frame(handle: number, input: number, bytes: number): void;
}

const instance = wasmDecoder<LibFlac>(() => import("./libflac"));

const STREAM_MARK = [0x66, 0x4c, 0x61, 0x43];
const STREAM_INFO_BYTES = 34;
const LAST_STREAM_INFO = [0x80, 0, 0, STREAM_INFO_BYTES];
/** Pictures and seek tables before the sound. */
const MAX_HEAD_BYTES = 64 * 1024 * 1024;
const MAX_FRAMES = 65_535;
/** For others the package's divisor is zero, and what comes out is infinite. */
const BITS = [8, 16, 24, 32];
/** Of Ogg's mapping, before the stream's description. */
const OGG_HEAD_BYTES = 17;

interface StreamInfo {
  /** As it stands in the file. */
  block: Uint8Array;
  rateHz: number;
  channels: number;
  bits: number;
  /** 0: not told. */
  frames: number;
}

function parseStreamInfo(block: Uint8Array): StreamInfo {
  if (block.length < STREAM_INFO_BYTES) throw malformed("FLAC", "its head is too short");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const packed = view.getUint32(10);
  const rateHz = packed >>> 12;
  const channels = ((packed >>> 9) & 7) + 1;
  const bits = ((packed >>> 4) & 31) + 1;
  checkShape("FLAC", channels, rateHz);
  if (!BITS.includes(bits)) {
    const detail = `This FLAC file has ${bits} bits a sample: send 8, 16, 24 or 32 (sox IN.flac -b 24 OUT.flac).`;
    throw new AudioError("unsupported_format", detail);
  }
  return {
    block: block.slice(0, STREAM_INFO_BYTES),
    rateHz,
    channels,
    bits,
    frames: (view.getUint8(13) & 15) * 2 ** 32 + view.getUint32(14),
  };
}

export async function openFlac(bytes: ByteStream): Promise<Decoder> {
  const take = async (count: number): Promise<Uint8Array> => {
    await bytes.atLeast(count);
    if (bytes.available < count) throw truncated("FLAC");
    return bytes.take(count);
  };
  await take(4);
  let info: StreamInfo | null = null;
  let headLeft = MAX_HEAD_BYTES;
  for (let last = false; !last; ) {
    const head = await take(4);
    const type = (head[0] as number) & 0x7f;
    last = ((head[0] as number) & 0x80) !== 0;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0) & 0xffffff;
    headLeft -= length + 4;
    if (headLeft < 0) throw malformed("FLAC", "its head is too long");
    if (info === null) {
      if (type !== 0) throw malformed("FLAC", "it does not begin with its stream's description");
      info = parseStreamInfo(await take(length));
      continue;
    }
    if (!(await bytes.pass(length))) throw truncated("FLAC");
  }
  return new FlacDecoder(await instance(), info as StreamInfo);
}

/** The mapping of FLAC into Ogg: each packet is a frame, after as many heads as the first one says. */
export const oggFlac: OggCodec = async (head) => {
  const info = parseStreamInfo(head.subarray(OGG_HEAD_BYTES));
  return new OggFlacStream(await instance(), info);
};

class OggFlacStream implements OggStream {
  readonly #decoder: FrameDecoder;
  #soundBegan = false;

  constructor(
    wasm: LibFlac & WasmMemory,
    private readonly info: StreamInfo,
  ) {
    this.#decoder = new FrameDecoder(wasm, info);
  }

  get rateHz(): number {
    return this.info.rateHz;
  }

  decode({ data }: OggPacket): Float32Array {
    this.#soundBegan ||= data[0] === 0xff;
    if (!this.#soundBegan || this.#decoder.done) return new Float32Array(0);
    if (headBytes(data, 0) === 0) throw malformed("FLAC", "a frame's head is wrong");
    return this.#decoder.decode(data);
  }

  end(): void {
    this.#decoder.end();
  }
}

class FlacDecoder implements Decoder {
  readonly rateHz: number;
  readonly frames: number | null;
  readonly costly = true;
  readonly #cut = new FlacFrames();
  readonly #decoder: FrameDecoder;

  constructor(wasm: LibFlac & WasmMemory, info: StreamInfo) {
    this.rateHz = info.rateHz;
    this.frames = info.frames === 0 ? null : info.frames;
    this.#decoder = new FrameDecoder(wasm, info);
  }

  next(bytes: ByteStream): Float32Array | null {
    if (this.#decoder.done) {
      bytes.skip(bytes.available); // a tag at the end
      return null;
    }
    const frame = this.#cut.next(bytes);
    if (frame) return this.#decoder.decode(frame);
    if (bytes.ended) this.#decoder.end();
    return null;
  }
}

class FrameDecoder {
  readonly #handle: number;
  readonly #channels: WasmCell;
  readonly #rate: WasmCell;
  readonly #bits: WasmCell;
  readonly #frames: WasmCell;
  readonly #output: WasmCell;
  /** The package divides by the largest positive sample, so that it becomes 1: everything would be a little too loud. */
  readonly #scale: number;
  #decoded = 0;

  constructor(
    private readonly wasm: LibFlac & WasmMemory,
    private readonly info: StreamInfo,
  ) {
    const fullScale = 2 ** (info.bits - 1);
    this.#scale = Math.fround(fullScale - 1) / fullScale;
    const cell = (): WasmCell => new WasmCell(wasm);
    this.#channels = cell();
    this.#rate = cell();
    this.#bits = cell();
    this.#frames = cell();
    this.#output = cell();
    this.#handle = wasm.create_decoder(
      this.#channels.pointer,
      this.#rate.pointer,
      this.#bits.pointer,
      this.#frames.pointer,
      this.#output.pointer,
      cell().pointer,
      cell().pointer,
      cell().pointer,
    );
    // Frames may leave to it what they are.
    this.#give(Uint8Array.of(...STREAM_MARK, ...LAST_STREAM_INFO, ...info.block));
  }

  /** All the samples that its head promised have come. */
  get done(): boolean {
    return this.info.frames > 0 && this.#decoded >= this.info.frames;
  }

  end(): void {
    if (this.#decoded < this.info.frames) throw truncated("FLAC");
  }

  decode(frame: Uint8Array): Float32Array {
    this.#frames.value = 0;
    this.#output.value = 0;
    this.#give(frame);
    return this.#mixed();
  }

  #give(part: Uint8Array): void {
    const input = this.wasm.malloc(part.length);
    if (input === 0) throw malformed("FLAC", "a frame is too long");
    intoWasm(this.wasm, input, part);
    this.wasm.decode_frame(this.#handle, input, part.length);
  }

  #mixed(): Float32Array {
    const frames = this.#frames.value;
    const { channels, rateHz, bits, frames: promised } = this.info;
    if (frames <= 0 || frames > MAX_FRAMES) throw malformed("FLAC", "a frame cannot be read");
    if (this.#channels.value !== channels || this.#rate.value !== rateHz || this.#bits.value !== bits)
      throw malformed("FLAC", "a frame contradicts its head");
    const planes = new Float32Array(this.wasm.HEAP, this.#output.value, frames * channels);
    const left = promised === 0 ? frames : Math.min(frames, promised - this.#decoded);
    const mixed = mixPlanar(planes, channels, left, frames);
    this.wasm.free(this.#output.value);
    for (let i = 0; i < left; i++) mixed[i] = (mixed[i] as number) * this.#scale;
    this.#decoded += frames;
    return mixed;
  }
}

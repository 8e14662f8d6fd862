/** FLAC, in its own file or in Ogg, by libFLAC. */
import type { ByteStream } from "../byte_stream";
import { checkShape, type Decoder, malformed, mixPlanar, truncated } from "./decoder";
import { FlacFrames, headBytes } from "./flac_frames";
import type { OggPackets } from "./ogg";
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

const STREAM_INFO_BYTES = 34;
/** Pictures and seek tables before the sound. */
const MAX_HEAD_BYTES = 64 * 1024 * 1024;
const MAX_FRAMES = 65_535;

interface StreamInfo {
  rateHz: number;
  channels: number;
  /** 0: not told. */
  frames: number;
}

function parseStreamInfo(block: Uint8Array): StreamInfo {
  if (block.length < STREAM_INFO_BYTES) throw malformed("FLAC", "its head is too short");
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const packed = view.getUint32(10);
  const rateHz = packed >>> 12;
  const channels = ((packed >>> 9) & 7) + 1;
  checkShape("FLAC", channels, rateHz);
  return { rateHz, channels, frames: (view.getUint8(13) & 15) * 2 ** 32 + view.getUint32(14) };
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
      info = parseStreamInfo((await take(length)).slice());
      continue;
    }
    for (let left = length; left > 0; ) {
      left -= bytes.skip(left);
      if (left > 0) await bytes.atLeast(1);
      if (left > 0 && bytes.available === 0) throw truncated("FLAC");
    }
  }
  const frames = new FlacFrames();
  return decoder(info as StreamInfo, (stream) => frames.next(stream));
}

/** The mapping of FLAC into Ogg: each packet is a frame, after as many heads as the first one says. */
export function openOggFlac(first: Uint8Array, packets: OggPackets): Promise<Decoder> {
  const info = parseStreamInfo(first.slice(17));
  let soundBegan = false;
  return decoder(info, (stream) => {
    for (;;) {
      const packet = packets.next(stream);
      if (!packet) return null;
      soundBegan ||= packet.data[0] === 0xff;
      if (!soundBegan) continue;
      if (headBytes(packet.data, 0) === 0) throw malformed("FLAC", "a frame's head is wrong");
      return packet.data;
    }
  });
}

async function decoder(info: StreamInfo, nextFrame: (bytes: ByteStream) => Uint8Array | null): Promise<Decoder> {
  return new FlacDecoder(await instance(), info, nextFrame);
}

class FlacDecoder implements Decoder {
  readonly rateHz: number;
  readonly frames: number | null;
  readonly costly = true;
  readonly #handle: number;
  readonly #channels: WasmCell;
  readonly #rate: WasmCell;
  readonly #frames: WasmCell;
  readonly #output: WasmCell;
  #decoded = 0;

  constructor(
    private readonly wasm: LibFlac & WasmMemory,
    private readonly info: StreamInfo,
    private readonly nextFrame: (bytes: ByteStream) => Uint8Array | null,
  ) {
    this.rateHz = info.rateHz;
    this.frames = info.frames === 0 ? null : info.frames;
    const cell = (): WasmCell => new WasmCell(wasm);
    this.#channels = cell();
    this.#rate = cell();
    this.#frames = cell();
    this.#output = cell();
    this.#handle = wasm.create_decoder(
      this.#channels.pointer,
      this.#rate.pointer,
      cell().pointer,
      this.#frames.pointer,
      this.#output.pointer,
      cell().pointer,
      cell().pointer,
      cell().pointer,
    );
  }

  next(bytes: ByteStream): Float32Array | null {
    if (this.frames !== null && this.#decoded >= this.frames) {
      bytes.skip(bytes.available); // a tag at the end
      return null;
    }
    const frame = this.nextFrame(bytes);
    if (!frame) {
      if (bytes.ended && this.frames !== null && this.#decoded < this.frames) throw truncated("FLAC");
      return null;
    }
    const input = this.wasm.malloc(frame.length);
    if (input === 0) throw malformed("FLAC", "a frame is too long");
    intoWasm(this.wasm, input, frame);
    this.#frames.value = 0;
    this.#output.value = 0;
    this.wasm.decode_frame(this.#handle, input, frame.length);
    return this.#mixed();
  }

  #mixed(): Float32Array {
    const frames = this.#frames.value;
    const { channels, rateHz } = this.info;
    if (frames <= 0 || frames > MAX_FRAMES) throw malformed("FLAC", "a frame cannot be read");
    if (this.#channels.value !== channels || this.#rate.value !== rateHz)
      throw malformed("FLAC", "a frame contradicts its head");
    const planes = new Float32Array(this.wasm.HEAP, this.#output.value, frames * channels);
    const left = this.frames === null ? frames : Math.min(frames, this.frames - this.#decoded);
    const mixed = mixPlanar(planes, channels, left, frames);
    this.wasm.free(this.#output.value);
    this.#decoded += frames;
    return mixed;
  }
}

/** Vorbis in Ogg, by libvorbis. */
import { checkShape, malformed } from "./decoder";
import { OggLength, type OggPacket } from "./ogg";
import type { OggCodec, OggStream } from "./ogg_chain";
import { intoWasm, WasmCell, type WasmMemory, wasmDecoder } from "./wasm";

interface LibVorbis {
  create_decoder(
    input: number,
    inputBytes: number,
    output: number,
    channels: number,
    rateHz: number,
    frames: number,
    errors: number,
    errorsLength: number,
    maxErrors: number,
  ): number;
  /** Head and setup; the comment between them it makes up by itself. */
  send_setup(handle: number, first: boolean): void;
  init_dsp(handle: number): void;
  decode_packets(handle: number): void;
}

const instance = wasmDecoder<LibVorbis>(() => import("./libvorbis"));

const INPUT_BYTES = 128 * 1024;
const MAX_ERRORS = 256;
const HEAD_BYTES = 30;
const SETUP = 5;
/** The longest block that the format has. */
const MAX_FRAMES = 8192;
const MAX_LOST_PACKETS = 50;

export const vorbis: OggCodec = async (head) => {
  if (head.length < HEAD_BYTES) throw malformed("Vorbis", "its head is too short");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const channels = view.getUint8(11);
  const rateHz = view.getUint32(12, true);
  checkShape("Vorbis", channels, rateHz);
  return new VorbisStream(await instance(), head, channels, rateHz);
};

class VorbisStream implements OggStream {
  readonly #handle: number;
  readonly #input: number;
  readonly #inputBytes: WasmCell;
  readonly #output: WasmCell;
  readonly #channels: WasmCell;
  readonly #rate: WasmCell;
  readonly #frames: WasmCell;
  readonly #errorsLength: WasmCell;
  readonly #length = new OggLength();
  #heads = 1;
  #lostPackets = 0;

  constructor(
    private readonly wasm: LibVorbis & WasmMemory,
    head: Uint8Array,
    private readonly channels: number,
    readonly rateHz: number,
  ) {
    this.#input = wasm.malloc(INPUT_BYTES);
    this.#inputBytes = new WasmCell(wasm);
    this.#output = new WasmCell(wasm);
    this.#channels = new WasmCell(wasm);
    this.#rate = new WasmCell(wasm);
    this.#frames = new WasmCell(wasm);
    this.#errorsLength = new WasmCell(wasm);
    this.#handle = wasm.create_decoder(
      this.#input,
      this.#inputBytes.pointer,
      this.#output.pointer,
      this.#channels.pointer,
      this.#rate.pointer,
      this.#frames.pointer,
      wasm.malloc(MAX_ERRORS * 4),
      this.#errorsLength.pointer,
      MAX_ERRORS,
    );
    this.#give(head);
    wasm.send_setup(this.#handle, true);
  }

  decode(packet: OggPacket): Float32Array {
    if (this.#heads < 3) {
      if (++this.#heads === 3) this.#setUp(packet.data);
      return new Float32Array(0);
    }
    this.#give(packet.data);
    this.#frames.value = 0;
    this.#errorsLength.value = 0;
    this.wasm.decode_packets(this.#handle);
    const decoded = this.#frames.value;
    if (this.#errorsLength.value > 0 && ++this.#lostPackets > MAX_LOST_PACKETS)
      throw malformed("Vorbis", "its packets cannot be read");
    if (decoded < 0 || decoded > MAX_FRAMES || this.#channels.value !== this.channels)
      throw malformed("Vorbis", "its packets contradict its head");
    return this.#mixed(this.#length.sound(packet, decoded));
  }

  end(): void {
    if (this.#heads < 3) throw malformed("Vorbis", "its head is not whole");
  }

  #setUp(setup: Uint8Array): void {
    if (setup[0] !== SETUP) throw malformed("Vorbis", "its setup is missing");
    this.#give(setup);
    this.wasm.send_setup(this.#handle, false);
    this.wasm.init_dsp(this.#handle);
  }

  #give(packet: Uint8Array): void {
    if (packet.length > INPUT_BYTES) throw malformed("Vorbis", "a packet is too long");
    intoWasm(this.wasm, this.#input, packet);
    this.#inputBytes.value = packet.length;
  }

  /** libvorbis keeps each channel in a place of its own. */
  #mixed(frames: number): Float32Array {
    const mixed = new Float32Array(frames);
    if (frames === 0) return mixed;
    for (const pointer of new Uint32Array(this.wasm.HEAP, this.#output.value, this.channels)) {
      const plane = new Float32Array(this.wasm.HEAP, pointer, frames);
      for (let i = 0; i < frames; i++) mixed[i] = (mixed[i] as number) + (plane[i] as number) / this.channels;
    }
    return mixed;
  }
}

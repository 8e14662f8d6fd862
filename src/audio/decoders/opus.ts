/** Opus in Ogg (RFC 7845), by libopus at 48 kHz. */
import { AudioError } from "../error";
import { checkShape, malformed, mixPlanar } from "./decoder";
import { OggLength, type OggPacket } from "./ogg";
import type { OggCodec, OggStream } from "./ogg_chain";
import { intoWasm, type WasmMemory, wasmDecoder } from "./wasm";

interface LibOpus {
  opus_frame_decoder_create(
    rateHz: number,
    channels: number,
    streams: number,
    coupledStreams: number,
    mapping: number,
    preSkip: number,
    forceStereo: number,
  ): number;
  /** Frames, or a negative error. Channels one after another, `frames` apart. */
  opus_frame_decode_float_deinterleaved(handle: number, input: number, bytes: number, output: number): number;
}

const instance = wasmDecoder<LibOpus>(() => import("./libopus"));

const RATE_HZ = 48_000;
/** 120 ms. */
const MAX_FRAMES = 5760;
const MAX_STREAM_BYTES = 61_440;
const MAX_LOST_PACKETS = 50;

interface OpusHead {
  channels: number;
  preSkip: number;
  gain: number;
  streams: number;
  coupledStreams: number;
  mapping: Uint8Array;
}

function parseHead(packet: Uint8Array): OpusHead {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < 19 || view.getUint8(8) > 15) throw malformed("Opus", "its head is too short or too new");
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  checkShape("Opus", channels, RATE_HZ);
  const head = {
    channels,
    preSkip: view.getUint16(10, true),
    gain: 10 ** (view.getInt16(16, true) / 256 / 20),
  };
  if (family === 0) {
    if (channels > 2) throw malformed("Opus", "it has more channels than its mapping");
    return { ...head, streams: 1, coupledStreams: channels - 1, mapping: Uint8Array.from([0, 1]) };
  }
  if (family !== 1)
    throw new AudioError("unsupported_format", `This Opus file maps its channels in way ${family}: send stereo.`);
  if (packet.length < 21 + channels) throw malformed("Opus", "its channel mapping is too short");
  const streams = view.getUint8(19);
  const coupledStreams = view.getUint8(20);
  const mapping = packet.slice(21, 21 + channels);
  const decoded = streams + coupledStreams;
  const sane = streams >= 1 && coupledStreams <= streams && decoded <= 16;
  if (!sane || mapping.some((index) => index !== 255 && index >= decoded))
    throw malformed("Opus", "its channel mapping makes no sense");
  return { ...head, streams, coupledStreams, mapping };
}

export const opus: OggCodec = async (head) => {
  const shape = parseHead(head);
  return new OpusStream(await instance(), shape);
};

class OpusStream implements OggStream {
  readonly rateHz = RATE_HZ;
  readonly #handle: number;
  readonly #input: number;
  readonly #output: number;
  readonly #length = new OggLength();
  readonly #maxPacketBytes: number;
  #tagsPassed = false;
  #toSkip: number;
  #lostPackets = 0;

  constructor(
    private readonly wasm: LibOpus & WasmMemory,
    private readonly head: OpusHead,
  ) {
    const { channels, streams, coupledStreams } = head;
    this.#maxPacketBytes = MAX_STREAM_BYTES * streams;
    this.#input = wasm.malloc(this.#maxPacketBytes);
    this.#output = wasm.malloc(channels * MAX_FRAMES * 4);
    const mapping = wasm.malloc(channels);
    intoWasm(wasm, mapping, head.mapping.subarray(0, channels));
    this.#handle = wasm.opus_frame_decoder_create(RATE_HZ, channels, streams, coupledStreams, mapping, 0, 0);
    this.#toSkip = head.preSkip;
  }

  decode(packet: OggPacket): Float32Array {
    if (!this.#tagsPassed) {
      this.#tagsPassed = true;
      return new Float32Array(0);
    }
    const decoded = this.#decode(packet);
    const frames = this.#length.sound(packet, decoded);
    const skipped = Math.min(this.#toSkip, frames);
    this.#toSkip -= skipped;
    const planes = new Float32Array(this.wasm.HEAP, this.#output, decoded * this.head.channels);
    const mixed = mixPlanar(planes, this.head.channels, frames, decoded).subarray(skipped);
    if (this.head.gain !== 1)
      for (let i = 0; i < mixed.length; i++) mixed[i] = (mixed[i] as number) * this.head.gain;
    return mixed;
  }

  end(): void {
    // A stream may stop at any packet.
  }

  #decode({ data }: OggPacket): number {
    if (data.length > this.#maxPacketBytes) throw malformed("Opus", "a packet is too long");
    intoWasm(this.wasm, this.#input, data);
    const frames = this.wasm.opus_frame_decode_float_deinterleaved(
      this.#handle,
      this.#input,
      data.length,
      this.#output,
    );
    if (frames >= 0 && frames <= MAX_FRAMES) {
      this.#lostPackets = 0;
      return frames;
    }
    if (++this.#lostPackets > MAX_LOST_PACKETS) throw malformed("Opus", "its packets cannot be read");
    return 0;
  }
}

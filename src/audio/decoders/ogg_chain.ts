/** An Ogg file as one sound: its links one after another, each with the codec that its first packet names. */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { type Decoder, malformed } from "./decoder";
import { oggFlac } from "./flac";
import { type OggPacket, OggPackets } from "./ogg";
import { opus } from "./opus";
import { vorbis } from "./vorbis";

/** One logical stream, in a memory of its own: what a codec does not give back goes with its link. */
export interface OggStream {
  readonly rateHz: number;
  /** Each packet after the first; channels mixed, −1 … 1. Throws AudioError. */
  decode(packet: OggPacket): Float32Array;
  /** It is over: throws where something of it is missing. */
  end(): void;
}

/** By a stream's first packet. */
export type OggCodec = (head: Uint8Array) => Promise<OggStream>;

const CODECS: readonly (readonly [mark: string, codec: OggCodec])[] = [
  ["OpusHead", opus],
  ["\x01vorbis", vorbis],
  ["\x7fFLAC", oggFlac],
];
/** Each link costs a set-up: a file of nothing else is meant to keep us busy. */
const MAX_SILENT_LINKS = 16;

const NOTHING = new Float32Array(0);

const text = (head: Uint8Array): string => String.fromCharCode(...head.subarray(0, 8));
const codecOf = (head: Uint8Array): OggCodec | null =>
  CODECS.find(([mark]) => text(head).startsWith(mark))?.[1] ?? null;

export async function openOgg(bytes: ByteStream, sendInstead: string): Promise<Decoder> {
  const refuse = (heads: readonly Uint8Array[]): never => {
    const what = heads.some((head) => text(head).startsWith("Speex")) ? "Speex" : "What this Ogg file holds";
    throw new AudioError("unsupported_format", `${what} is not decoded: send ${sendInstead}.`);
  };
  const decoder = new OggDecoder(new OggPackets((head) => codecOf(head) !== null, refuse));
  while (decoder.next(bytes) === null) {
    if (decoder.loading) await decoder.loading;
    else if (bytes.ended) throw malformed("Ogg", "there is no sound in it");
    else await bytes.change();
  }
  return decoder;
}

class OggDecoder implements Decoder {
  readonly frames = null;
  readonly costly = true;
  rateHz = 0;
  loading: Promise<void> | null = null;
  #stream: OggStream | null = null;
  #failure: Error | null = null;
  #silentLinks = 0;

  constructor(private readonly packets: OggPackets) {}

  next(bytes: ByteStream): Float32Array | null {
    if (this.loading) return null;
    if (this.#failure) throw this.#failure;
    const packet = this.packets.next(bytes);
    if (!packet) {
      if (bytes.ended) this.#endLink();
      return null;
    }
    if (packet.begins) {
      this.#endLink();
      this.loading = this.#beginLink(packet.data).then(
        () => this.#loaded(null),
        (error) => this.#loaded(error),
      );
      return null;
    }
    if (!this.#stream) throw malformed("Ogg", "a stream has no beginning");
    if (packet.data.length === 0) return NOTHING; // FFmpeg ends FLAC with one
    const piece = this.#stream.decode(packet);
    if (piece.length > 0) this.#silentLinks = 0;
    return piece;
  }

  async #beginLink(head: Uint8Array): Promise<void> {
    if (++this.#silentLinks > MAX_SILENT_LINKS) throw malformed("Ogg", "there is no sound in its streams");
    this.#stream = await (codecOf(head) as OggCodec)(head);
    this.rateHz = this.#stream.rateHz;
  }

  #loaded(failure: Error | null): void {
    this.#failure = failure;
    this.loading = null;
  }

  #endLink(): void {
    const stream = this.#stream;
    this.#stream = null;
    stream?.end();
  }
}

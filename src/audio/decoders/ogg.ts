/**
 * Ogg (RFC 3533): pages out of bytes, packets out of pages. Of streams that lie beside each other (a film's, a
 * skeleton's) the first that is sound is kept; what is chained behind it follows, link by link. A page is looked at
 * when all of it is there and its checksum is right; so are the packets that a decoder gets.
 */
import type { ByteStream } from "../byte_stream";
import { malformed } from "./decoder";

const HEAD_BYTES = 27;
const CONTINUED = 1;
const FIRST = 2;
const LAST = 4;
/** Audio packets are far smaller; what comments carry beyond is dropped. */
const MAX_PACKET_BYTES = 128 * 1024;
/** Of a comment with pictures. */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;
/** Remembered to be named. */
const MAX_OTHERS = 8;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

function checksum(page: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : (page[i] as number); // its own place counts as zeros
    crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ byte] as number);
  }
  return crc >>> 0;
}

export interface OggPacket {
  /** Where it was too long to be kept, its beginning. */
  data: Uint8Array;
  /** It is the first one of a link. */
  begins: boolean;
  /** It is the last one that ends on its page. */
  endsPage: boolean;
  /** Of that page: samples up to its end; −1: none. */
  granule: number;
  /** That page is the stream's last one. */
  last: boolean;
}

export class OggPackets {
  #serial: number | null = null;
  #sequence = 0;
  #packets: OggPacket[] = [];
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #droppedBytes = 0;
  #over = false;
  /** First pages of streams that are no sound here, of this link. */
  #others: Uint8Array[] = [];
  /** All streams of a link begin before any goes on. */
  #beginning = false;

  constructor(
    private readonly isSound: (head: Uint8Array) => boolean,
    /** Throws what is to be said of a link that has only these. */
    private readonly refuse: (heads: readonly Uint8Array[]) => never,
  ) {}

  /** null: more bytes are needed; or there are no more packets. */
  next(bytes: ByteStream): OggPacket | null {
    for (;;) {
      const packet = this.#packets.shift();
      if (packet) return packet;
      if (!this.#page(bytes)) return null;
    }
  }

  #page(bytes: ByteStream): boolean {
    if (bytes.available < HEAD_BYTES) return this.#short(bytes);
    const head = bytes.peek(HEAD_BYTES);
    if (String.fromCharCode(...head.subarray(0, 4)) !== "OggS" || head[4] !== 0) return this.#noPage(bytes);
    const segments = head[26] as number;
    if (bytes.available < HEAD_BYTES + segments) return this.#short(bytes);
    let length = HEAD_BYTES + segments;
    for (let i = 0; i < segments; i++) length += bytes.at(HEAD_BYTES + i);
    if (bytes.available < length) return this.#short(bytes);
    const page = bytes.take(length);
    const view = new DataView(page.buffer, page.byteOffset, length);
    if (view.getUint32(22, true) !== checksum(page)) throw malformed("Ogg", "a page's checksum is wrong");
    const serial = view.getUint32(14, true);
    const sequence = view.getUint32(18, true);
    if (((page[5] as number) & FIRST) !== 0) {
      if (!this.#begins(page.subarray(HEAD_BYTES + segments))) return true;
      this.#serial = serial;
      this.#sequence = sequence;
    } else {
      this.#beginning = false;
      if (this.#serial === null) this.refuse(this.#others);
      if (this.#over || serial !== this.#serial) return true; // a stream beside ours
    }
    if (sequence !== this.#sequence++) throw malformed("Ogg", "a page is missing");
    this.#split(page, view, segments);
    return true;
  }

  /** Whether the stream that begins with this page is the one to be heard. */
  #begins(head: Uint8Array): boolean {
    if (!this.#beginning || this.#over) {
      this.#beginning = true;
      this.#over = false;
      this.#serial = null;
      this.#others = [];
    }
    if (this.#serial !== null) return false;
    if (!this.isSound(head)) {
      if (this.#others.length < MAX_OTHERS) this.#others.push(head.slice(0, 8));
      return false;
    }
    this.#parts = [];
    this.#partBytes = 0;
    return true;
  }

  /** What stands behind the sound may be a tag. */
  #noPage(bytes: ByteStream): false {
    if (!this.#over) throw malformed("Ogg", "a page is missing");
    bytes.skip(bytes.available);
    return false;
  }

  /** A file that ends in the middle of a page. */
  #short(bytes: ByteStream): false {
    if (!bytes.ended || bytes.available === 0) return false;
    if (String.fromCharCode(...bytes.peek(4)) !== "OggS") return this.#noPage(bytes);
    throw malformed("Ogg", "it ends in the middle of a page");
  }

  #split(page: Uint8Array, view: DataView, segments: number): void {
    const flags = page[5] as number;
    if (((flags & CONTINUED) !== 0) !== this.#partBytes > 0) {
      if (this.#partBytes > 0 || segments > 0) throw malformed("Ogg", "a packet is not continued");
    }
    const low = view.getUint32(6, true);
    const high = view.getInt32(10, true);
    const granule = high * 2 ** 32 + low;
    const begins = (flags & FIRST) !== 0;
    this.#over = (flags & LAST) !== 0;
    const ended: OggPacket[] = [];
    let at = HEAD_BYTES + segments;
    let from = at;
    for (let i = 0; i < segments; i++) {
      const size = page[HEAD_BYTES + i] as number;
      at += size;
      if (size === 255 && i < segments - 1) continue;
      this.#keep(page.subarray(from, at));
      from = at;
      if (size === 255) break; // goes on on the next page
      ended.push({
        data: this.#joined(),
        begins: begins && ended.length === 0,
        endsPage: false,
        granule,
        last: this.#over,
      });
    }
    const lastOne = ended.at(-1);
    if (lastOne) lastOne.endsPage = true;
    this.#packets = ended;
  }

  #keep(part: Uint8Array): void {
    if (this.#partBytes + part.length <= MAX_PACKET_BYTES) {
      this.#parts.push(part.slice());
    } else {
      this.#droppedBytes += part.length;
      if (this.#droppedBytes > MAX_DROPPED_BYTES) throw malformed("Ogg", "its comments are too long");
    }
    this.#partBytes += part.length;
  }

  #joined(): Uint8Array {
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    if (parts.length === 1) return parts[0] as Uint8Array;
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/**
 * What granules say of the sound's length: the last page's may lie before the end of its last packet, whose rest is
 * no sound; the first one's tells where a recording cut out of a longer one begins.
 */
export class OggLength {
  #decoded = 0;
  #offset: number | null = null;

  /** Of a packet's samples, how many are sound. */
  sound(packet: OggPacket, samples: number): number {
    this.#decoded += samples;
    if (packet.last && packet.granule >= 0) {
      const end = packet.granule - (this.#offset ?? 0);
      return Math.max(0, Math.min(samples, samples - (this.#decoded - end)));
    }
    if (packet.endsPage && packet.granule >= 0 && this.#offset === null && this.#decoded > 0) {
      this.#offset = Math.max(0, packet.granule - this.#decoded);
    }
    return samples;
  }
}

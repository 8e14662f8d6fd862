/**
 * The frames of an MPEG audio stream, without what lies between them: tags, and bytes that are neither. Where a stream
 * begins, or begins again, a second head has to stand where the first one's frame ends.
 */
import type { ByteStream } from "../byte_stream";
import { AudioError } from "../error";
import { malformed } from "./decoder";
import { MPEG_HEAD_BYTES, type MpegHead, mpegHead } from "./mpeg_head";
import { MAX_TAG_BYTES, TAG_HEAD_BYTES, tagBytes } from "./tags";

/** Without a frame in so many bytes it is no MP3. */
const MAX_JUNK_BYTES = 512 * 1024;
/** Of free format: 640 kbit/s at the lowest rate. */
const MAX_FREE_BYTES = 5760 + 4;
const MIN_FREE_BYTES = 24;

export interface Mp3Frame {
  head: MpegHead;
  data: Uint8Array;
}

/** Bytes of the frame that begins there, if another of its kind follows; 0: none does; null: more bytes will tell. */
export function firstFrameBytes(bytes: ByteStream): number | null {
  const head = mpegHead(bytes.peek(MPEG_HEAD_BYTES));
  if (!head) return 0;
  if (head.bytes === null) return firstFreeBytes(bytes, head);
  if (bytes.available < head.bytes + MPEG_HEAD_BYTES && !bytes.ended) return null;
  const rest = bytes.peek(head.bytes + MPEG_HEAD_BYTES).subarray(head.bytes);
  return mpegHead(rest)?.kind === head.kind ? head.bytes : 0;
}

/** In free format the next two heads have to be at one distance. */
function firstFreeBytes(bytes: ByteStream, head: MpegHead): number | null {
  const window = bytes.peek(2 * MAX_FREE_BYTES + MPEG_HEAD_BYTES);
  const alike = (at: number): MpegHead | null => {
    const there = mpegHead(window, at);
    return there?.kind === head.kind && there.bytes === null ? there : null;
  };
  for (let at = MIN_FREE_BYTES; at <= MAX_FREE_BYTES && at + MPEG_HEAD_BYTES <= window.length; at++) {
    const second = window[at] === 0xff ? alike(at) : null;
    if (!second) continue;
    const third = at + at - head.paddingBytes + second.paddingBytes;
    if (alike(third) || (bytes.ended && third === window.length)) return at;
  }
  return window.length < 2 * MAX_FREE_BYTES + MPEG_HEAD_BYTES && !bytes.ended ? null : 0;
}

export class Mp3Frames {
  /** Of the stream that it is in; null: one is looked for. */
  #kind: number | null = null;
  #tagLeft = 0;
  #junkBytes = 0;

  /** null: more bytes are needed; or that was all. */
  next(bytes: ByteStream): Mp3Frame | null {
    for (;;) {
      this.#tagLeft -= bytes.skip(this.#tagLeft);
      if (this.#tagLeft > 0 || bytes.available === 0) return null;
      if (bytes.available < TAG_HEAD_BYTES && !bytes.ended) return null;
      this.#tagLeft = tagBytes(bytes.peek(TAG_HEAD_BYTES));
      if (this.#tagLeft > MAX_TAG_BYTES) throw malformed("MP3", "a tag in it is too long");
      if (this.#tagLeft > 0) continue;
      const head = mpegHead(bytes.peek(MPEG_HEAD_BYTES));
      const length = head && this.#lengthOf(head, bytes);
      if (length === null && head) return null;
      if (!head || !length) {
        this.#passJunk(bytes);
        continue;
      }
      if (bytes.available < length) {
        if (bytes.ended) bytes.skip(bytes.available); // a frame that was cut off
        return null;
      }
      this.#junkBytes = 0;
      return { head, data: bytes.take(length).slice() };
    }
  }

  /** 0: it is no frame. null: more bytes will tell. */
  #lengthOf(head: MpegHead, bytes: ByteStream): number | null {
    if (head.kind === this.#kind && head.bytes !== null) return head.bytes;
    const length = firstFrameBytes(bytes);
    if (!length) return length;
    if (head.bytes === null) {
      const detail =
        "This MP3 file is of free format, which is not decoded: send one of a usual bit rate (lame -b 128).";
      throw new AudioError("unsupported_format", detail);
    }
    this.#kind = head.kind;
    return length;
  }

  /** As far as a head may begin. */
  #passJunk(bytes: ByteStream): void {
    this.#kind = null;
    const window = bytes.peek(4096);
    let at = 1;
    while (at < window.length && !mayBegin(window[at] as number)) at++;
    bytes.skip(at);
    this.#junkBytes += at;
    if (this.#junkBytes > MAX_JUNK_BYTES) throw malformed("MP3", "there is no sound in it any more");
  }
}

/** A frame; or a tag: ID3, TAG, APETAGEX. */
const mayBegin = (byte: number): boolean => byte === 0xff || byte === 0x49 || byte === 0x54 || byte === 0x41;

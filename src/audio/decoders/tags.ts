/** What people's programs write before, between and behind a file's sound: titles, pictures, words to sing. */

const ID3V1_BYTES = 128;
const ID3V2_HEAD_BYTES = 10;
const APE_HEAD_BYTES = 32;
/** A tag holds pictures; none is as large as this. */
export const MAX_TAG_BYTES = 64 * 1024 * 1024;
/** So many bytes tell how long the tag is that they begin. */
export const TAG_HEAD_BYTES = APE_HEAD_BYTES;

/** Bytes of the tag that begins here; 0: none does. */
export function tagBytes(head: Uint8Array): number {
  const name = String.fromCharCode(...head.subarray(0, 8));
  if (name.startsWith("ID3") && head.length >= ID3V2_HEAD_BYTES) {
    const size = head.subarray(6, 10).reduce((sum, byte) => (sum << 7) | (byte & 0x7f), 0);
    const footerBytes = ((head[5] as number) & 0x10) !== 0 ? ID3V2_HEAD_BYTES : 0;
    return ID3V2_HEAD_BYTES + size + footerBytes;
  }
  if (name.startsWith("TAG")) return ID3V1_BYTES;
  if (name === "APETAGEX" && head.length >= APE_HEAD_BYTES) {
    const view = new DataView(head.buffer, head.byteOffset, APE_HEAD_BYTES);
    const isHead = (view.getUint32(20, true) & 0x20000000) !== 0;
    // The size counts what follows a head; behind a foot nothing is left of it.
    return APE_HEAD_BYTES + (isHead ? view.getUint32(12, true) : 0);
  }
  return 0;
}

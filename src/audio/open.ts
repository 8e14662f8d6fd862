/** From the bytes of a request to samples for the telephone: what it is, is said by its first bytes. */
import { ByteStream } from "./byte_stream";
import { DecodedSource, nextPiece, type SourceOptions } from "./decoded_source";
import { openAu } from "./decoders/au";
import { checkShape, type Decoder, malformed } from "./decoders/decoder";
import { openFlac } from "./decoders/flac";
import { isMp3, openMp3 } from "./decoders/mp3";
import { openOgg } from "./decoders/ogg_chain";
import { openRaw } from "./decoders/pcm";
import { MAX_TAG_BYTES, TAG_HEAD_BYTES, tagBytes } from "./decoders/tags";
import { openWav } from "./decoders/wav";
import { AudioError } from "./error";
import { otherFormat } from "./other_formats";
import { type PcmSource, TELEPHONE_RATE_HZ } from "./source";

/** Their heads differ in how lengths are told. */
const WAV_HEADS = ["RIFF", "RIFX", "RF64", "BW64"];
const HEAD_BYTES = 12;

export const FORMATS_TEXT = "WAV, MP3, Ogg Vorbis, Opus, FLAC, AU, or raw S16LE 8 kHz mono";

const notDecoded = (format: string): AudioError =>
  new AudioError("unsupported_format", `${format} is not decoded: send ${FORMATS_TEXT}.`);

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

async function openDecoder(bytes: ByteStream): Promise<Decoder> {
  const tagged = await passTags(bytes);
  const head = text(bytes.peek(HEAD_BYTES));
  if (head.length === 0 && !tagged)
    throw new AudioError("empty", `There is no sound in the body: send ${FORMATS_TEXT}.`);
  if (WAV_HEADS.includes(head.slice(0, 4))) return openWav(bytes);
  if (head.startsWith("fLaC")) return openFlac(bytes);
  if (head.startsWith(".snd")) return openAu(bytes);
  if (head.startsWith("OggS")) return openOgg(bytes, FORMATS_TEXT);
  if (await isMp3(bytes)) return openMp3();
  const other = await otherFormat(head, bytes);
  if (other !== null) throw notDecoded(other);
  return tagged ? openMp3() : openRaw(bytes, TELEPHONE_RATE_HZ);
}

/** MP3 has them at its beginning, and some programs put them before FLAC as well. Whether there was one. */
async function passTags(bytes: ByteStream): Promise<boolean> {
  for (let tagged = false; ; tagged = true) {
    await bytes.atLeast(HEAD_BYTES);
    if (text(bytes.peek(3)) !== "ID3") return tagged;
    const length = tagBytes(bytes.peek(TAG_HEAD_BYTES));
    if (length > MAX_TAG_BYTES) throw malformed("MP3", "its tag is too long");
    if (length === 0 || !(await bytes.pass(length))) throw malformed("MP3", "there is no sound behind its tag");
  }
}

/** What is wrong with a compressed sound shows at its first piece. null: it has none, which may be all right. */
async function firstPiece(decoder: Decoder, bytes: ByteStream): Promise<Float32Array | null> {
  for (;;) {
    const piece = nextPiece(decoder, bytes);
    if (piece && piece.length > 0) return piece;
    if (piece) continue;
    if (decoder.loading) {
      await decoder.loading;
      continue;
    }
    if (bytes.failure) throw bytes.failure;
    if (bytes.ended) throw malformed("sound", "there is no sound in it");
    await bytes.change();
  }
}

/** Throws AudioError, or what made the bytes fail. Returns as soon as the first of it can be heard. */
export async function openAudio(
  input: Uint8Array | ByteStream,
  options: Partial<SourceOptions> = {},
): Promise<PcmSource> {
  const bytes = input instanceof ByteStream ? input : ByteStream.of(input);
  const decoder = await openDecoder(bytes);
  const first = decoder.costly ? await firstPiece(decoder, bytes) : null;
  checkShape("sound", 1, decoder.rateHz);
  return new DecodedSource(bytes, decoder, first, {
    loudnessDbm0: options.loudnessDbm0 ?? null,
    heldBytes: options.heldBytes ?? bytes.totalBytes ?? 0,
    later: options.later ?? ((work) => setImmediate(work)),
  });
}

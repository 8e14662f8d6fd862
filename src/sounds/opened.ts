/** From bytes that come from somewhere else to a source that can be played. */
import { ByteStream } from "../audio/byte_stream";
import { openAudio } from "../audio/open";
import type { PcmSource } from "../audio/source";
import { type ReadAheadOptions, readAhead } from "./read_ahead";
import { cancelled } from "./sound_error";

export interface OpenOptions {
  /** Gives the opening up; a source that was opened is ended by its close. */
  signal: AbortSignal;
  /** Level of the speech, dBm0; null: as it is. */
  loudnessDbm0: number | null;
}

/** Settles when the first of it can be heard. */
export async function opened(
  pieces: AsyncIterable<Uint8Array>,
  totalBytes: number | null,
  { signal, loudnessDbm0 }: OpenOptions,
  ahead: ReadAheadOptions & { heldBytes?: number },
): Promise<PcmSource> {
  const bytes = new ByteStream(totalBytes);
  void readAhead(pieces, bytes, ahead);
  const giveUp = (): void => bytes.fail(cancelled());
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    const heldBytes = ahead.heldBytes ?? Math.min(ahead.aheadBytes, totalBytes ?? ahead.aheadBytes);
    return await openAudio(bytes, { loudnessDbm0, heldBytes });
  } catch (error) {
    bytes.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

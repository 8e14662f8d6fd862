/** A sound as a file, made in memory: of what is short by its nature. */
import { type PcmSource, TELEPHONE_RATE_HZ } from "../audio/source";
import { WAV_SAMPLE_BYTES, wavHeader } from "../audio/wav_header";
import { samplesOf } from "./samples";

export async function wholeSound(source: PcmSource, signal: AbortSignal): Promise<Blob> {
  const pieces: Int16Array<ArrayBuffer>[] = [];
  let samples = 0;
  for await (const piece of samplesOf(source, signal, new Int16Array(TELEPHONE_RATE_HZ))) {
    pieces.push(piece.slice());
    samples += piece.length;
  }
  return new Blob([wavHeader(1, TELEPHONE_RATE_HZ, samples * WAV_SAMPLE_BYTES), ...pieces]);
}

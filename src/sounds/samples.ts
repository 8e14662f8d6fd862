/** A source, read to its end by somebody who does not keep the telephone's time. */
import { NOT_YET, type PcmSource } from "../audio/source";
import { cancelled } from "./sound_error";

/** Pieces that are valid until the next is asked for. Throws what is wrong with the sound. */
export async function* samplesOf(
  source: PcmSource,
  signal: AbortSignal,
  piece: Int16Array,
): AsyncGenerator<Int16Array> {
  let wake = (): void => undefined;
  const woken = (): void => wake();
  source.whenReady?.(woken);
  signal.addEventListener("abort", woken);
  try {
    for (;;) {
      if (signal.aborted) throw cancelled();
      const count = source.read(piece);
      if (count > 0) yield piece.subarray(0, count);
      else if (count !== NOT_YET) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal.removeEventListener("abort", woken);
    source.close?.();
  }
}

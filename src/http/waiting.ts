/** Requests that are answered when something on a telephone is over, which may be minutes later. */
import type { Call } from "./endpoint";

/** A client that goes while it waits wants it no more. */
export async function whenOver<Result>(
  call: Call,
  { finished, stop }: { finished: Promise<Result>; stop(): void },
): Promise<Result> {
  const { signal } = call.request;
  call.keepOpen();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await finished;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Standard output and error without process.stdout and process.stderr, which take 9 ms and 6 MB of a start. */
import { readlinkSync } from "node:fs";

export type StandardOutput = "stdout" | "stderr";

const DESCRIPTORS: Record<StandardOutput, number> = { stdout: 1, stderr: 2 };

/** Waits for nobody: what a pipe does not take at once is kept, and follows, or is lost where the process ends first. */
export function lineWriter(output: StandardOutput): (text: string) => void {
  const sink = Bun[output].writer();
  return async (text) => {
    try {
      sink.write(text);
      await sink.flush();
    } catch {
      // nobody reads any more
    }
  };
}

/** A person may be looking. */
export function isTerminal(output: StandardOutput): boolean {
  try {
    return /^\/dev\/(pts\/|tty|console)/.test(readlinkSync(`/proc/self/fd/${DESCRIPTORS[output]}`));
  } catch {
    return false; // it is closed
  }
}

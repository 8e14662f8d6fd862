/** Standard output and error without process.stdout and process.stderr, which take 9 ms and 6 MB of a start. */
import { readlinkSync } from "node:fs";

export type StandardOutput = "stdout" | "stderr";

export const isStandardOutput = (name: string): name is StandardOutput => name === "stdout" || name === "stderr";

const DESCRIPTORS: Record<StandardOutput, number> = { stdout: 1, stderr: 2 };

/** Of a reader who stands still: what comes beyond it is lost. */
const MAX_KEPT_CHARACTERS = 1024 * 1024;

export interface LineWriter {
  /** Waits for nobody: what a pipe does not take at once is kept, and follows, or is lost where the process ends first. */
  write(text: string): void;
  /** Since the start. */
  lostLines(): number;
}

/** lost: told how many were, before the next one that is not. */
export function lineWriter(output: StandardOutput, lost: (lines: number) => void = () => undefined): LineWriter {
  const sink = Bun[output].writer();
  let kept = 0;
  let all = 0;
  let untold = 0;
  const write = async (text: string): Promise<void> => {
    if (kept > MAX_KEPT_CHARACTERS) {
      all++;
      untold++;
      return;
    }
    kept += text.length;
    if (untold > 0) {
      const lines = untold;
      untold = 0;
      lost(lines);
    }
    try {
      sink.write(text);
      await sink.flush();
    } catch {
      // nobody reads any more
    } finally {
      kept -= text.length;
    }
  };
  return { write: (text) => void write(text), lostLines: () => all };
}

/** A person may be looking. */
export function isTerminal(output: StandardOutput): boolean {
  try {
    return /^\/dev\/(pts\/|tty|console)/.test(readlinkSync(`/proc/self/fd/${DESCRIPTORS[output]}`));
  } catch {
    return false; // it is closed
  }
}

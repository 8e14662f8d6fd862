/** `dahdi-phone-api replay FILE`: the exit code is for scripts. */
import type { Shim } from "../driver/library";
import { compare, compareRefusals } from "./compare";
import { FlightDataError, readRecording } from "./read_recording";
import { replay } from "./replay";
import { isDifferent, jsonReport, textReport } from "./report";

/** <sysexits.h> EX_DATAERR, EX_NOINPUT. */
const EXIT_DATA = 65;
const EXIT_NO_INPUT = 66;

export interface Outcome {
  code: number;
  out: string;
  complaint: string;
}

export async function replayFile(path: string, json: boolean, shim: Shim): Promise<Outcome> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(await Bun.file(path).arrayBuffer());
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    return { code: EXIT_NO_INPUT, out: "", complaint: `cannot read ${path} (${code})` };
  }
  try {
    const recording = readRecording(bytes);
    const startedMs = performance.now();
    const { told, refused, notes } = await replay(recording, shim);
    const { header } = recording;
    const figures = {
      seconds: (header.to_ns - header.from_ns) / 1e9,
      tookMs: performance.now() - startedMs,
      notes,
      refusals: compareRefusals(recording, refused),
    };
    const pairs = compare(recording, told);
    const out = json ? jsonReport(header, pairs, figures) : textReport(header, pairs, figures);
    return { code: isDifferent(pairs, figures.refusals) ? 1 : 0, out, complaint: "" };
  } catch (error) {
    if (!(error instanceof FlightDataError)) throw error;
    return { code: EXIT_DATA, out: "", complaint: `${path}: ${error.message}` };
  }
}

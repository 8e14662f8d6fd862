import type { Config } from "../config/schema";
import { createLogs } from "../observe/log";
import { StartError } from "./start_error";

const MIB = 1024 * 1024;

export function openLogs(logging: Config["logging"]): ReturnType<typeof createLogs> {
  const { max_size_mb, output } = logging;
  const journal = output === "stderr" && process.env.JOURNAL_STREAM !== undefined;
  try {
    const opened = createLogs({ ...logging, maxBytes: max_size_mb * MIB, journal });
    process.on("exit", () => opened.control.lastBreath());
    return opened;
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new StartError(`cannot write the log ${output} (${code}): choose another place (logging.output)`);
  }
}

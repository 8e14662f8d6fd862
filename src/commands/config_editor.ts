/** The configuration's file, for those who change it while it is served. */
import { existsSync } from "node:fs";
import type { ServeArguments } from "../command_line";
import { ConfigEditor } from "../config/editor";
import { replaceFile } from "../config/file";
import { DEFAULT_CONFIG_PATH, parseConfig, readSource } from "../config/load";
import type { RunningConfig } from "../config/running";
import { machineFaults } from "./start_check";

/** path: the file that was read; without one a server of real telephones makes the usual one. */
export function configEditor(
  running: RunningConfig,
  line: ServeArguments,
  path: string | null,
  lines: readonly number[],
): ConfigEditor {
  return new ConfigEditor({
    running,
    path: path ?? (line.simulatePorts === null ? DEFAULT_CONFIG_PATH : null),
    // One that was there at the start and is gone is no wish for the defaults: somebody is just writing it, or erred.
    read: (file) => (path === null && !existsSync(file) ? null : readSource(file)),
    write: replaceFile,
    parse: (text, file) => parseConfig(text, file, process.env, line),
    machineFaults: (parsed) =>
      machineFaults(parsed, line.simulatePorts === null ? parsed.config.dahdi.channels : lines),
  });
}

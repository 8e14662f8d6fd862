/** The configuration's file, for those who change it while it is served. */
import { existsSync, readFileSync } from "node:fs";
import type { ServeArguments } from "../command_line";
import { ConfigEditor } from "../config/editor";
import { replaceFile } from "../config/file";
import { DEFAULT_CONFIG_PATH, parseConfig } from "../config/load";
import type { RunningConfig } from "../config/running";

/** path: the file that was read; without one a server of real telephones makes the usual one. */
export function configEditor(running: RunningConfig, line: ServeArguments, path: string | null): ConfigEditor {
  return new ConfigEditor({
    running,
    path: path ?? (line.simulatePorts === null ? DEFAULT_CONFIG_PATH : null),
    read: (file) => (existsSync(file) ? readFileSync(file, "utf8") : null),
    write: replaceFile,
    parse: (text, file) => parseConfig(text, file, process.env, line),
  });
}

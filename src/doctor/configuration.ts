/** Does the configuration parse: file, line and key where it does not. */
import { dirname } from "node:path";
import { DEFAULT_CONFIG_PATH } from "../config/load";
import type { Config } from "../config/schema";
import { error, type Finding, ok } from "./findings";
import { ranges } from "./spans";

/** The configuration, or what is wrong with it and the defaults to look at the rest with. */
export interface ReadConfig {
  config: Config;
  /** The file it came from, null for none. */
  path: string | null;
  /** ConfigError's lines: FILE:LINE: KEY: what is wrong. */
  problem: string | null;
}

/** The command that opens the configuration, at a line where one is wrong. */
export function editCommand(path: string | null, line?: number): string {
  const folder = path === null ? `sudo mkdir -p ${dirname(DEFAULT_CONFIG_PATH)} && ` : "";
  return `${folder}sudo editor ${line === undefined ? "" : `+${line} `}${path ?? DEFAULT_CONFIG_PATH}`;
}

export function checkConfiguration({ path, problem, config }: ReadConfig): Finding {
  if (problem === null) {
    const { channels } = config.dahdi;
    const lines = `${channels.length > 1 ? "lines" : "line"} ${ranges(channels)}`;
    return ok("config", path === null ? `No file, so the defaults: ${lines}` : `${path} is right: ${lines}`);
  }
  const [first = "", ...more] = problem.split("\n");
  const [, file, line] = /^(\/?[^:]+):(\d+): /.exec(first) ?? [];
  const [, variable] = /^environment: (\w+): /.exec(first) ?? [];
  const bare = /^(\/[^:]+): /.exec(first)?.[1];
  const consequence = "The program does not start on it.";
  return error("config", first, {
    detail: [...more, consequence].join("\n"),
    fix: file ? editCommand(file, Number(line)) : variable ? `unset ${variable}` : bare ? editCommand(bare) : null,
  });
}

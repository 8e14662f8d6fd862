/** What was typed after config, backup or restore. */
import type { parseArgs as ParseArgs } from "node:util";
import { UsageError } from "../command_line";

/** Loaded when one of ours was typed. */
const parseArgs = ((config) => process.getBuiltinModule("node:util").parseArgs(config)) as typeof ParseArgs;

export type KeepingCommand =
  | { command: "config check"; configPath: string | null; help: boolean }
  | { command: "backup"; configPath: string | null; file: string; recordings: boolean; help: boolean }
  | { command: "restore"; configPath: string | null; file: string; help: boolean };

export const KEEPING_HELP: Record<KeepingCommand["command"], string> = {
  "config check": `Reads the configuration as a start would, and says all that is wrong: file, line, key. Exit code 78 then.

Usage: dahdi-phone-api config check [--config=FILE]
`,
  backup: `Puts the configuration and what the server keeps into one file, while it runs or not.

Usage: sudo dahdi-phone-api backup FILE.tar.gz [options]

  --with-recordings   the recordings too
  --config=FILE       of another configuration than /etc/dahdi_phone/config.yml

It holds secrets (tokens as hashes, the TLS key, what the configuration holds): only its owner may read it.
`,
  restore: `Puts back what backup kept, on this machine or on another. The server must be stopped.

Usage: sudo dahdi-phone-api restore FILE.tar.gz [--config=FILE]

Everything is looked at before anything is changed; what was there is kept beside it, as *.before-restore.
Recordings that the file does not hold stay.
`,
};

const CONFIG = { config: { type: "string" }, help: { type: "boolean", short: "h" } } as const;

/** Null: the first word is none of ours. */
export function keepingCommand(argv: readonly string[]): KeepingCommand | null {
  const [first, ...args] = argv;
  try {
    if (first === "config") {
      const { values, positionals } = parseArgs({ args, options: CONFIG, allowPositionals: true });
      const help = values.help === true;
      if (!help && positionals.join(" ") !== "check")
        throw new UsageError("config wants check alone, or with --config=FILE: see dahdi-phone-api config --help");
      return { command: "config check", configPath: values.config ?? null, help };
    }
    if (first !== "backup" && first !== "restore") return null;
    const options = first === "backup" ? { ...CONFIG, "with-recordings": { type: "boolean" } as const } : CONFIG;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const help = values.help === true;
    const [file = "", ...more] = positionals;
    if (!help && (file === "" || more.length > 0))
      throw new UsageError(`${first} wants one FILE: see dahdi-phone-api ${first} --help`);
    const common = { configPath: (values.config as string | undefined) ?? null, file, help };
    if (first === "restore") return { command: first, ...common };
    return {
      command: first,
      ...common,
      recordings: (values as Record<string, unknown>)["with-recordings"] === true,
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message.split(". ")[0]}: see dahdi-phone-api ${first} --help`);
  }
}

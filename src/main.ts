/** What was typed: which command, and with which exit code it ends. */
import { version } from "../package.json";
import { ApplianceError } from "./appliance/appliance_error";
import { applianceCommand } from "./appliance/arguments";
import { keepingCommand } from "./backup/arguments";
import { BackupError } from "./backup/backup_error";
import { type CommandLine, HELP, parseCommandLine, UsageError } from "./command_line";
import { serve } from "./commands/serve";
import { StartError } from "./commands/start_error";
import { ConfigError } from "./config/fault";

const EXIT_FAILED = 1;
/** <sysexits.h> EX_USAGE and EX_CONFIG: systemd shows them by name. */
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;

/** Commands but the server's are loaded when they were typed: they take 10 ms that its start does not have. */
async function main(): Promise<void> {
  let command: CommandLine;
  try {
    const appliance = applianceCommand(process.argv.slice(2));
    if (appliance !== null) return await (await import("./appliance/appliance")).runAppliance(appliance);
    const kept = keepingCommand(process.argv.slice(2));
    if (kept !== null) return await (await import("./commands/keeping")).keeping(kept);
    command = parseCommandLine(process.argv.slice(2));
    if (command.command === "help") process.stdout.write(HELP);
    else if (command.command === "version") process.stdout.write(`${version}\n`);
    else if (command.command === "token") await (await import("./commands/token")).token(command);
    else if (command.command === "doctor")
      process.exitCode = await (await import("./commands/doctor")).doctor(command);
    else if (command.command === "replay")
      process.exitCode = await (await import("./commands/replay")).replay(command);
    else await serve(command);
  } catch (error) {
    const known: [unknown, number][] = [
      [UsageError, EXIT_USAGE],
      [ConfigError, EXIT_CONFIG],
      [StartError, EXIT_FAILED],
      [ApplianceError, EXIT_FAILED],
      [BackupError, EXIT_FAILED],
    ];
    const [, code] = known.find(([kind]) => error instanceof (kind as new () => Error)) ?? [null, null];
    const { syscall, path, code: errno } = error as NodeJS.ErrnoException;
    if (code === null && syscall !== undefined && path !== undefined) {
      process.stderr.write(`dahdi-phone-api: ${path}: ${syscall} failed (${errno})\n`);
      process.exit(EXIT_FAILED);
    }
    if (code === null) throw error;
    const { message } = error as Error;
    const lines = error instanceof ConfigError || error instanceof StartError ? message.split("\n") : [message];
    process.stderr.write(lines.map((line) => `dahdi-phone-api: ${line}\n`).join(""));
    process.exit(code as number);
  }
}

void main();

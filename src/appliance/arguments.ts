/** What was typed after install, uninstall or upgrade. */
import type { parseArgs as ParseArgs } from "node:util";
import { UsageError } from "../command_line";

/** Loaded when one of ours was typed. */
const parseArgs = ((config) => process.getBuiltinModule("node:util").parseArgs(config)) as typeof ParseArgs;

export type ApplianceCommand =
  | { command: "install"; root: string; listen: string | null; withToken: boolean; help: boolean }
  | { command: "uninstall"; root: string; purge: boolean; help: boolean }
  | { command: "upgrade"; root: string; rollback: boolean; file: string | null; help: boolean };

export const APPLIANCE_HELP: Record<ApplianceCommand["command"], string> = {
  install: `Makes a service of this program, which starts with the machine and stays up. Again: "unchanged".

Usage: sudo ./dahdi-phone-api install [options]

  --listen=ADDRESS   listen here, written into the configuration; 0.0.0.0 is every address (default: 127.0.0.1)
  --with-token       make an API token and show it once: any other address than this machine's own needs one
  --root=DIR         put the files below DIR and tell no systemd: for who prepares an SD card

It puts the program into /usr/local/bin, its unit, user and udev rule below /etc, and a configuration, all of it
commented out, at /etc/dahdi_phone/config.yml where there is none. See also: uninstall, upgrade.
`,
  uninstall: `Stops the service and removes what install put there.

Usage: sudo dahdi-phone-api uninstall [options]

  --purge            also the configuration, recordings, the event log and the service's user
  --root=DIR         from below DIR, and tell no systemd
`,
  upgrade: `Changes the installed program for another, when that one starts; goes back by itself when the service does not.

Usage: sudo ./the-new-dahdi-phone-api upgrade
       sudo dahdi-phone-api upgrade FILE
       sudo dahdi-phone-api upgrade --rollback    back to the one before
`,
};

const OPTIONS = {
  install: {
    listen: { type: "string" },
    "with-token": { type: "boolean" },
    root: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
  uninstall: { purge: { type: "boolean" }, root: { type: "string" }, help: { type: "boolean", short: "h" } },
  upgrade: { rollback: { type: "boolean" }, help: { type: "boolean", short: "h" } },
} as const;

/** Null: the first word is none of ours. */
export function applianceCommand(argv: readonly string[]): ApplianceCommand | null {
  const [command, ...args] = argv;
  try {
    switch (command) {
      case "install": {
        const { values } = parseArgs({ args, options: OPTIONS.install });
        return {
          command,
          root: rootOf(values.root),
          listen: filled("--listen", values.listen),
          withToken: values["with-token"] === true,
          help: values.help === true,
        };
      }
      case "uninstall": {
        const { values } = parseArgs({ args, options: OPTIONS.uninstall });
        return { command, root: rootOf(values.root), purge: values.purge === true, help: values.help === true };
      }
      case "upgrade": {
        const { values, positionals } = parseArgs({ args, options: OPTIONS.upgrade, allowPositionals: true });
        const rollback = values.rollback === true;
        if (positionals.length > 1 || (rollback && positionals.length > 0))
          throw new UsageError("upgrade takes one FILE, or --rollback");
        return { command, root: "", rollback, file: positionals[0] ?? null, help: values.help === true };
      }
      default:
        return null;
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(`${sentence}: see dahdi-phone-api ${command} --help`);
  }
}

function filled(name: string, text: string | undefined): string | null {
  if (text === "") throw new UsageError(`${name} needs a value, as in ${name}=…`);
  return text ?? null;
}

/** No slash at its end: paths are put behind it. "/" is this machine. */
function rootOf(text: string | undefined): string {
  const folder = filled("--root", text) ?? "";
  if (folder !== "" && !folder.startsWith("/")) throw new UsageError("--root takes a path that begins with /");
  return folder.replace(/\/+$/, "");
}

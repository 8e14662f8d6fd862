/** The commands that make an appliance of a machine. */
import { APPLIANCE_HELP, type ApplianceCommand } from "./arguments";
import { linuxHost } from "./host";
import { install } from "./install";
import { uninstall } from "./uninstall";
import { rollBack, upgrade } from "./upgrade";

export async function runAppliance(line: ApplianceCommand): Promise<void> {
  // Whatever the shell's is: folders are made that everybody must read and nobody else may write.
  process.umask(0o022);
  const host = linuxHost(line.root);
  if (line.help) host.say(APPLIANCE_HELP[line.command].trimEnd());
  else if (line.command === "install") await install(host, line);
  else if (line.command === "uninstall") await uninstall(host, line.purge);
  else if (line.rollback) await rollBack(host);
  else await upgrade(host, line.file);
}

/** systemd, as far as an installation has to do with it. */

import { dirname } from "node:path";
import { ApplianceError } from "./appliance_error";
import { Files } from "./files";
import type { Host } from "./host";
import { BINARY, FILES, PACKAGED_UNITS, UNIT } from "./layout";

/** A program that crashes does so early: the service is believed when it has stayed up for this long. */
const SETTLING_MS = 3000;
const JOURNAL_LINES = 12;

/** Says why nothing can be done here, before anything is. */
export function requireMachine(host: Host, command: string): void {
  const files = new Files(host.root);
  if (host.live && host.uid !== 0)
    throw new ApplianceError(`${command} must be root: sudo dahdi-phone-api ${command}`);
  if (host.live && !files.exists("/run/systemd/system"))
    throw new ApplianceError(
      "systemd does not run here: start ./dahdi-phone-api as your machine starts its services (--root=DIR fills a folder)",
    );
  const packaged = PACKAGED_UNITS.find((path) => files.exists(path));
  if (packaged)
    throw new ApplianceError(
      "this machine has the Debian package: sudo apt install ./NEW.deb upgrades it, sudo apt remove dahdi-phone-api removes it",
    );
}

/** What is in a folder that anybody may write, anybody may change: for a program and units that root starts. */
export function requireSafeFolders(host: Host): void {
  const files = new Files(host.root);
  for (const folder of new Set([BINARY, ...FILES.map(({ path }) => path)].map(dirname))) {
    const there = files.itself(folder);
    if (there?.isDirectory() && (there.mode & 0o002) !== 0)
      throw new ApplianceError(
        `${folder} may be written by everybody, who could change what root runs: sudo chmod o-w ${folder}`,
      );
  }
}

/** Runs it, or says what it said. */
export async function must(host: Host, ...command: string[]): Promise<string> {
  const { code, output } = await host.run(command);
  if (code !== 0) throw new ApplianceError(`${command.join(" ")} ended with ${code}: ${output.trim()}`);
  return output;
}

async function properties(host: Host): Promise<Map<string, string>> {
  const { output } = await host.run(["systemctl", "show", UNIT, "-p", "ActiveState,MainPID,NRestarts"]);
  return new Map(output.split("\n").map((row) => row.split("=", 2) as [string, string]));
}

/** Does the installed program run, or one that was there before? */
export async function runsInstalled(host: Host): Promise<boolean> {
  const state = await properties(host);
  return (
    state.get("ActiveState") === "active" &&
    new Files(host.root).link(`/proc/${state.get("MainPID")}/exe`) === BINARY
  );
}

/** Starts it anew; settles when it has said that it is ready, and has stayed up. */
export async function restart(host: Host): Promise<void> {
  const sinceS = Math.floor(Date.now() / 1000);
  const { code } = await host.run(["systemctl", "restart", UNIT]);
  if (code === 0) {
    await host.sleep(SETTLING_MS);
    const state = await properties(host);
    if (state.get("ActiveState") === "active" && state.get("NRestarts") === "0") return;
  }
  const journal = await host.run([
    "journalctl",
    `--unit=${UNIT}`,
    `--since=@${sinceS}`,
    `--lines=${JOURNAL_LINES}`,
    "--no-pager",
    "--output=cat",
  ]);
  const goesOn = (await properties(host)).get("ActiveState") === "activating";
  throw new ApplianceError(
    `the service does not come up${goesOn ? "; systemd tries again every second, and needs nobody once it can" : ""}; ` +
      `journalctl -u dahdi-phone-api ends:\n${journal.output.trimEnd()}`,
  );
}

/** What is there already takes the owner and group that the rules now give, and a card's spans their numbers. */
export async function applyUdevRules(host: Host): Promise<void> {
  await host.run(["udevadm", "control", "--reload"]);
  // Not dahdi_spans: the driver's rules would run dahdi_cfg for lines that somebody may be using.
  const nodes = ["dahdi", "dahdi_channels", "dahdi_devices"].map((name) => `--subsystem-match=${name}`);
  await host.run(["udevadm", "trigger", "--action=add", "--settle", ...nodes]);
}

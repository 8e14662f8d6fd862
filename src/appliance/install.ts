/** Makes a service of this executable. What is there already and right is left alone. */
import { planConfig } from "./config_file";
import { ApplianceError, Files, type Host, sameBytes } from "./host";
import {
  BINARY,
  CONFIG_PATH,
  ENABLED_LINK,
  FILES,
  PREVIOUS,
  SYSUSERS_PATH,
  TMPFILES_PATH,
  UNIT_PATH,
} from "./layout";
import { applyUdevRules, must, requireMachine, restart, runsInstalled } from "./service";

export async function install(host: Host, listen: string | null): Promise<void> {
  requireMachine(host, "install");
  const { executable } = host;
  if (executable === null)
    throw new ApplianceError(
      "only the executable can be installed: make dist, then sudo dist/dahdi-phone-api-… install",
    );
  const files = new Files(host.root);
  const planned = await planConfig(host, listen);
  let changed = false;
  const step = (path: string, what: string): void => {
    if (what !== "unchanged") changed = true;
    host.say(`${what === "unchanged" ? "·" : "✓"} ${path}  ${what}`);
  };

  if (await sameBytes(executable, files.at(BINARY))) step(BINARY, "unchanged");
  else {
    const replaces = files.exists(BINARY);
    if (replaces) files.keep(BINARY, PREVIOUS);
    files.copy(executable, BINARY, 0o755);
    step(BINARY, replaces ? "replaced; the one before is kept for upgrade --rollback" : "installed");
  }
  // Before the unit, so that a half-done first time is enabled by the second; never again, so that who disables it is heard.
  if (!files.exists(UNIT_PATH)) files.symlink(UNIT_PATH, ENABLED_LINK);
  for (const { path, text } of FILES) {
    const there = files.text(path);
    if (there === text) step(path, "unchanged");
    else {
      files.write(path, text, 0o644);
      step(path, there === null ? "installed" : "replaced");
    }
  }
  const hadConfig = files.exists(CONFIG_PATH);
  if (planned.text === null) step(CONFIG_PATH, "unchanged");
  else {
    files.write(CONFIG_PATH, planned.text, 0o640);
    step(CONFIG_PATH, hadConfig ? `listens on ${listen}` : "written, all of it commented out");
  }

  if (!host.live) {
    host.say(`\nWhat starts from ${host.root} has the service.`);
    return;
  }
  // A first time that was broken off has put its files, and is finished here.
  if (changed || !(await runsInstalled(host))) {
    await must(host, "systemd-sysusers", SYSUSERS_PATH);
    await must(host, "systemd-tmpfiles", "--create", TMPFILES_PATH);
    await applyUdevRules(host);
    await must(host, "systemctl", "daemon-reload");
    await restart(host);
    host.say("✓ service  runs, and starts with the machine");
  } else host.say("· service  unchanged");
  const { host: address, rest_port } = planned.config.server;
  host.say(`\nOpen ${pageUrl(address, rest_port)} ; what is wrong, if anything: sudo dahdi-phone-api doctor`);
}

/** Of the Swagger UI. Every address is said as this machine's name. */
function pageUrl(address: string, port: number): string {
  const all = address === "0.0.0.0" || address === "::";
  const name = all ? "THIS-MACHINE" : address.includes(":") ? `[${address}]` : address;
  return `http://${name}:${port}/docs`;
}

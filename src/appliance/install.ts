/** Makes a service of this executable. What is there already and right is left alone. */
import { hostname } from "node:os";
import type { Config } from "../config/schema";
import { ApplianceError } from "./appliance_error";
import { planConfig } from "./config_file";
import { firstToken, requireTokenFile } from "./first_token";
import { Files, type Host, sameBytes } from "./host";
import {
  BINARY,
  CONFIG_PATH,
  ENABLED_LINK,
  FILES,
  PREVIOUS,
  STATE_FOLDER,
  SYSUSERS_PATH,
  TMPFILES_PATH,
  UNIT_PATH,
} from "./layout";
import { applyUdevRules, must, requireMachine, restart, runsInstalled } from "./service";

export interface InstallOptions {
  /** An address, written into the configuration; null: as it is. */
  listen: string | null;
  withToken: boolean;
}

export async function install(host: Host, { listen, withToken }: InstallOptions): Promise<void> {
  requireMachine(host, "install");
  const { executable } = host;
  if (executable === null)
    throw new ApplianceError(
      "only the executable can be installed: make dist, then sudo dist/dahdi-phone-api-… install",
    );
  const files = new Files(host.root);
  const planned = await planConfig(host, listen, withToken);
  const fault = host.live && listen !== null ? host.listenFault(listen) : null;
  if (fault !== null) {
    throw new ApplianceError(`--listen=${listen}: is no address of this machine (${fault}); 0.0.0.0 is every one`);
  }
  if (withToken) requireTokenFile(files.at(STATE_FOLDER));
  let changed = false;
  const step = (path: string, what: string): void => {
    if (what !== "unchanged") changed = true;
    host.say(`${what === "unchanged" ? "·" : "✓"} ${path}  ${what}`);
  };

  if (await sameBytes(executable, files.at(BINARY))) step(BINARY, "unchanged");
  else {
    const replaces = files.exists(BINARY);
    files.copy(executable, BINARY, 0o755, replaces ? PREVIOUS : null);
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
    files.write(CONFIG_PATH, planned.text, 0o660);
    step(CONFIG_PATH, hadConfig ? `listens on ${listen}` : "written, all of it commented out");
  }

  const makeToken = (): void => {
    const token = firstToken(files.at(STATE_FOLDER), Date.now());
    host.say(token === null ? "· token install  unchanged" : `✓ token install  ${token}  (shown this once)`);
  };
  if (!host.live) {
    if (withToken) makeToken();
    host.say(`\nWhat starts from ${host.root} has the service.`);
    return;
  }
  // A first time that was broken off has put its files, and is finished here.
  if (changed || !(await runsInstalled(host))) {
    await must(host, "systemd-sysusers", SYSUSERS_PATH);
    await must(host, "systemd-tmpfiles", "--create", TMPFILES_PATH);
    // Its folder has its owner now; without it, the service would not start on an open address.
    if (withToken) makeToken();
    await applyUdevRules(host);
    await must(host, "systemctl", "daemon-reload");
    await restart(host);
    host.say("✓ service  runs, and starts with the machine");
  } else {
    if (withToken) makeToken();
    host.say("· service  unchanged");
  }
  const { address, config } = planned;
  host.say(`\nOpen ${pageUrl(address, config)} ; what is wrong, if anything: sudo dahdi-phone-api doctor`);
}

/** Of the Swagger UI. Every address is said as this machine's name. */
function pageUrl(address: string, { server }: Config): string {
  const { certificate, self_signed } = server.tls;
  const all = address === "0.0.0.0" || address === "::";
  const name = all ? hostname() : address.includes(":") ? `[${address}]` : address;
  return `http${certificate !== null || self_signed ? "s" : ""}://${name}:${server.rest_port}/docs`;
}

/** Makes a service of this executable. What is there already and right is left alone. */
import { hostname } from "node:os";
import type { Config } from "../config/schema";
import { ApplianceError } from "./appliance_error";
import { planConfig } from "./config_file";
import { Files, sameBytes } from "./files";
import { FIRST_TOKEN, firstToken, requireTokenFile } from "./first_token";
import type { Host } from "./host";
import {
  BINARY,
  CONFIG_PATH,
  ENABLED_LINK,
  FILES,
  NAME,
  PREVIOUS,
  STATE_FOLDER,
  SYSUSERS_PATH,
  TMPFILES_PATH,
  UNFINISHED,
  UNIT_PATH,
} from "./layout";
import { oneAtATime } from "./one_at_a_time";
import { applyUdevRules, must, requireMachine, requireSafeFolders, restart, runsInstalled } from "./service";

export interface InstallOptions {
  /** An address, written into the configuration; null: as it is. */
  listen: string | null;
  withToken: boolean;
}

export async function install(host: Host, options: InstallOptions): Promise<void> {
  requireMachine(host, "install");
  const { executable } = host;
  if (executable === null)
    throw new ApplianceError(
      "only the executable can be installed: make dist, then sudo dist/dahdi-phone-api-… install",
    );
  await oneAtATime(host, () => installAlone(host, executable, options));
}

async function installAlone(host: Host, executable: string, options: InstallOptions): Promise<void> {
  const { listen, withToken } = options;
  const files = new Files(host.root);
  const planned = await planConfig(host, listen, withToken);
  const fault = host.live && listen !== null ? host.listenFault(listen) : null;
  if (fault !== null) {
    throw new ApplianceError(`--listen=${listen}: is no address of this machine (${fault}); 0.0.0.0 is every one`);
  }
  if (host.live) requireSafeFolders(host);
  const stateFolder = files.at(planned.config.state_dir ?? STATE_FOLDER);
  if (withToken) requireTokenFile(stateFolder, planned.config.state_dir !== null);
  // Where somebody waits for us, it is his: he may need it.
  if (!host.held) removeLeftovers(files);
  // Of one that was broken off: its files may all be there, and the service not know them.
  let changed = host.live && files.exists(UNFINISHED);
  const unchanged = (path: string): unknown => host.say(`· ${path}  unchanged`);
  const change = (path: string, what: string, act: () => void): void => {
    if (host.live && !changed) files.write(UNFINISHED, "", 0o600);
    changed = true;
    act();
    host.say(`✓ ${path}  ${what}`);
  };

  const same = await sameBytes(executable, files.at(BINARY));
  if (same && files.isOwn(BINARY, 0o755)) unchanged(BINARY);
  else {
    const kept = !same && files.isFile(BINARY) ? PREVIOUS : null;
    const what = kept === null ? "installed" : "replaced; the one before is kept for upgrade --rollback";
    change(BINARY, what, () => files.copy(executable, BINARY, 0o755, kept));
  }
  // Before the unit, so that a half-done first time is enabled by the second; never again, so that who disables it is heard.
  if (!files.isFile(UNIT_PATH)) files.symlink(UNIT_PATH, ENABLED_LINK);
  for (const { path, text } of FILES) {
    const there = files.text(path);
    if (there === text && files.isOwn(path, 0o644)) unchanged(path);
    else change(path, there === null ? "installed" : "replaced", () => files.write(path, text, 0o644));
  }
  const { text } = planned;
  if (text === null) unchanged(CONFIG_PATH);
  else {
    const what = files.exists(CONFIG_PATH) ? `listens on ${listen}` : "written, all of it commented out";
    change(CONFIG_PATH, what, () => files.write(CONFIG_PATH, text, 0o660));
  }

  const makeToken = (): void => {
    const show = (secret: string): boolean => host.say(`✓ token ${FIRST_TOKEN}  ${secret}  (shown this once)`);
    if (!firstToken(stateFolder, Date.now(), show))
      host.say(
        `· token ${FIRST_TOKEN}  unchanged; if it is lost: dahdi-phone-api token revoke ${FIRST_TOKEN}, and again`,
      );
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
    files.remove(UNFINISHED);
    host.say("✓ service  runs, and starts with the machine");
  } else {
    if (withToken) makeToken();
    host.say("· service  unchanged");
  }
  const ofDebian = await host.run(["dpkg-query", "--status", NAME]);
  if (ofDebian.output.includes(" ok config-files"))
    host.say(`! ${NAME}'s package is removed, not purged: "apt purge ${NAME}" would take ${CONFIG_PATH} away`);
  const { address, config } = planned;
  host.say(`\nOpen ${pageUrl(address, config)} ; what is wrong, if anything: sudo dahdi-phone-api doctor`);
}

/** Of commands that were broken off. */
export function removeLeftovers(files: Files): void {
  files.finishExchange(BINARY, PREVIOUS);
  if (!files.itself(PREVIOUS)) files.comeBack(PREVIOUS);
  for (const path of [BINARY, PREVIOUS, ...FILES.map(({ path }) => path)]) files.removeLeftovers(path);
}

/** Of the Swagger UI. Every address is said as this machine's name. */
function pageUrl(address: string, { server }: Config): string {
  const { certificate, self_signed } = server.tls;
  const all = address === "0.0.0.0" || address === "::";
  const name = all ? hostname() : address.includes(":") ? `[${address}]` : address;
  return `http${certificate !== null || self_signed ? "s" : ""}://${name}:${server.rest_port}/docs`;
}

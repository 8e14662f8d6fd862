/** Removes what install made; with purge, also what the service has made since. */
import { dirname } from "node:path";
import { Files, type Host } from "./host";
import {
  BINARY,
  CONFIG_PATH,
  DROP_INS,
  ENABLED_LINK,
  FILES,
  PREVIOUS,
  STATE_FOLDER,
  SYSUSERS_PATH,
  UNIT,
  USER,
} from "./layout";
import { applyUdevRules, must, requireMachine } from "./service";

export async function uninstall(host: Host, purge: boolean): Promise<void> {
  requireMachine(host, purge ? "uninstall --purge" : "uninstall");
  const files = new Files(host.root);
  if (host.live && FILES.some(({ path }) => files.exists(path))) await host.run(["systemctl", "stop", UNIT]);
  let removed = 0;
  const gone = (path: string, was: boolean): void => {
    if (!was) return;
    removed++;
    host.say(`✓ ${path}  removed`);
  };
  for (const path of [ENABLED_LINK, ...FILES.map(({ path }) => path).reverse(), PREVIOUS, BINARY])
    gone(path, files.remove(path));
  for (const { path } of [...FILES, { path: PREVIOUS }, { path: BINARY }, { path: CONFIG_PATH }])
    files.removeLeftovers(path);
  // Debian has none of its own.
  files.removeEmpty(dirname(SYSUSERS_PATH));
  if (purge)
    for (const folder of [DROP_INS, dirname(CONFIG_PATH), STATE_FOLDER]) gone(folder, files.removeFolder(folder));
  if (host.live) {
    await must(host, "systemctl", "daemon-reload");
    // It may have failed: its name would stay in systemd's list. Nothing to forget is no fault.
    await host.run(["systemctl", "reset-failed", UNIT]);
    await applyUdevRules(host);
    if (purge && hasUser(files)) {
      await must(host, "userdel", USER);
      gone(`user ${USER}`, true);
    }
  }
  if (removed === 0) host.say("· nothing of it is here");
  else if (!purge) {
    const kept = [dirname(CONFIG_PATH), STATE_FOLDER].filter((path) => files.exists(path));
    if (kept.length > 0) host.say(`\nKept: ${kept.join(", ")} and the user ${USER}; --purge removes them.`);
  }
}

const hasUser = (files: Files): boolean =>
  files
    .text("/etc/passwd")
    ?.split("\n")
    .some((row) => row.startsWith(`${USER}:`)) ?? false;

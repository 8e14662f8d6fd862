/** Removes what install made; with purge, also what the service has made since. */
import { dirname } from "node:path";
import { ApplianceError } from "./appliance_error";
import { Files } from "./files";
import type { Host } from "./host";
import {
  BEFORE_RESTORE,
  BINARY,
  CONFIG_PATH,
  DROP_INS,
  ENABLED_LINK,
  FILES,
  PREVIOUS,
  STATE_FOLDER,
  SYSUSERS_PATH,
  UNFINISHED,
  UNIT,
  USER,
} from "./layout";
import { oneAtATime } from "./one_at_a_time";
import { applyUdevRules, must, requireMachine } from "./service";

export async function uninstall(host: Host, purge: boolean): Promise<void> {
  requireMachine(host, purge ? "uninstall --purge" : "uninstall");
  await oneAtATime(host, () => uninstallAlone(host, purge));
}

async function uninstallAlone(host: Host, purge: boolean): Promise<void> {
  const files = new Files(host.root);
  if (purge) requireNoDiskBelow(files);
  // Also where somebody has removed its files. One that is not known is no fault.
  if (host.live) await host.run(["systemctl", "stop", UNIT]);
  let removed = 0;
  const gone = (path: string, was: boolean): void => {
    if (!was) return;
    removed++;
    host.say(`✓ ${path}  removed`);
  };
  // The unit before its link, as install makes them the other way round: one that is broken off here is enabled by the next.
  for (const path of [...FILES.map(({ path }) => path).reverse(), ENABLED_LINK, PREVIOUS, BINARY])
    gone(path, files.remove(path));
  for (const { path } of [...FILES, { path: PREVIOUS }, { path: BINARY }, { path: CONFIG_PATH }])
    files.removeLeftovers(path);
  files.remove(UNFINISHED);
  // Debian has none of its own.
  files.removeEmpty(dirname(SYSUSERS_PATH));
  if (purge) removeMade(files, gone);
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
  const kept = [dirname(CONFIG_PATH), STATE_FOLDER].filter((path) => files.exists(path));
  if (purge)
    for (const path of kept)
      host.say(`\nKept: what is not of this program in ${path}: ${files.names(path).join(", ")}`);
  else if (removed > 0 && kept.length > 0)
    host.say(`\nKept: ${kept.join(", ")} and the user ${USER}; --purge removes them.`);
}

function removeMade(files: Files, gone: (path: string, was: boolean) => void): void {
  for (const path of [DROP_INS, STATE_FOLDER, ...BEFORE_RESTORE]) gone(path, files.removeFolder(path));
  gone(CONFIG_PATH, files.remove(CONFIG_PATH));
  // A certificate and its key may be beside it: their owner put them there.
  gone(dirname(CONFIG_PATH), files.removeEmpty(dirname(CONFIG_PATH)));
}

/** Whose it is, and what else is on it, is not known here. */
function requireNoDiskBelow(files: Files): void {
  const mounted = (files.text("/proc/self/mounts") ?? "")
    .split("\n")
    .map((row) =>
      (row.split(" ")[1] ?? "").replaceAll(/\\(\d{3})/g, (_, octal) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .find((at) => BEFORE_RESTORE.concat(STATE_FOLDER).some((folder) => `${at}/`.startsWith(`${folder}/`)));
  if (mounted !== undefined)
    throw new ApplianceError(
      `${mounted} is a disk of its own, which --purge would empty: sudo systemctl stop ${UNIT}, sudo umount ${mounted}, then again`,
    );
}

const hasUser = (files: Files): boolean =>
  files
    .text("/etc/passwd")
    ?.split("\n")
    .some((row) => row.startsWith(`${USER}:`)) ?? false;

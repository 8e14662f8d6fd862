/**
 * A Debian machine with systemd as process 1, Debian's DAHDI tools, the rig's kernel and virtual card: a disk that is
 * built once (debian_disk.ts), and one with what is tested.
 */
import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Guest } from "../rig/guests";
import { DAHDI_MODULES, type Image, kernelOf, modulesOf } from "../rig/image";
import { Apt, run } from "../rig/packages";
import { bootImage, FOLDER, payloadDisk } from "./boot";
import { debianDisk } from "./debian_disk";

/** Of the machine's files, beside Debian's. A telephone card as its owner sets it up, and the tests' hand. */
const SETTINGS: Record<string, string> = {
  "etc/dahdi/system.conf": "fxoks=1-4\nloadzone=us\ndefaultzone=us\n",
  "etc/modprobe.d/rig.conf": "options vfxs ports=4\n",
  "etc/modules-load.d/dahdi.conf": "vfxs\n",
  "etc/fstab": "",
  "etc/hostname": "appliance\n",
  "etc/systemd/system/rig-agent.service":
    "[Unit]\nRequiresMountsFor=/payload\n[Service]\nExecStart=/payload/agent\nKillMode=process\n",
};
/** Nothing here needs them, and each costs the emulated machine seconds. */
const MASKED = ["getty@tty1", "serial-getty@ttyS0", "serial-getty@ttyAMA0", "systemd-update-utmp"]
  .map((name) => `${name}.service`)
  .concat(
    ["apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim"].map((name) => `${name}.timer`),
  );
const UNITS = "etc/systemd/system";

const INTO_DEBIAN = `cp -af /machine/payload/settings/. /machine/
# Of mmdebstrap, which must start nothing while it builds.
rm -f /machine/usr/sbin/policy-rc.d
umount /dev /sys /proc
exec switch_root /machine /lib/systemd/systemd
`;

/** What is laid over Debian at each start. */
function settings(tree: string, abi: string, modules: string): void {
  const place = (path: string): string => {
    mkdirSync(join(tree, path, ".."), { recursive: true });
    return join(tree, path);
  };
  for (const [path, text] of Object.entries(SETTINGS)) writeFileSync(place(path), text);
  for (const unit of MASKED) symlinkSync("/dev/null", place(`${UNITS}/${unit}`));
  symlinkSync("../rig-agent.service", place(`${UNITS}/multi-user.target.wants/rig-agent.service`));
  for (const name of [...DAHDI_MODULES, "vfxs"])
    cpSync(join(modules, `${name}.ko`), place(`lib/modules/${abi}/updates/${name}.ko`));
  run(["/usr/sbin/depmod", "-b", tree, abi]);
  // Debian's /lib is a link to it.
  renameSync(join(tree, "lib"), place("usr/lib"));
}

/** files: name below /payload → path here. */
export async function machineImage(guest: Guest, files: Record<string, string>): Promise<Image> {
  const debian = await debianDisk(guest);
  const kernel = kernelOf(guest, new Apt(guest.kernelSuite));
  const { folder: modules, driver } = modulesOf(guest, kernel);
  const payload = payloadDisk(guest, files, (tree) => settings(join(tree, "settings"), kernel.abi, modules));
  const machine = join(FOLDER, `machine-${guest.arch}.ext4`);
  run(["cp", "--sparse=always", debian, machine]);
  const image = bootImage(guest, INTO_DEBIAN, machine, payload);
  return { ...image, versions: { ...image.versions, driver } };
}

/**
 * A Debian machine with systemd as process 1, Debian's DAHDI tools, the rig's kernel and virtual card: a disk that is
 * built once (by mmdebstrap, a minute and a half, from the machine's own mirror), and one with what is tested.
 */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_SUITE, type Guest } from "../rig/guests";
import {
  agentOf,
  DAHDI_MODULES,
  hashOf,
  type Image,
  KERNEL_MODULES,
  kernelOf,
  modulesOf,
  takeModules,
} from "../rig/image";
import { Apt, mirror, RIG, run } from "../rig/packages";

const FOLDER = join(RIG, "appliance");
const PACKAGES = ["systemd", "systemd-sysv", "udev", "dbus", "init-system-helpers", "dahdi"];
const DISK_MB = 1600;

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
const MASKED = ["getty@tty1.service", "serial-getty@ttyS0.service", "systemd-update-utmp.service"].concat(
  ["apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim"].map((name) => `${name}.timer`),
);
const UNITS = "etc/systemd/system";

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/early); do insmod /modules/$module.ko || echo "rig: $module.ko"; done
ifconfig lo up
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
mount -t ext4 /dev/vda /machine
mkdir -p /machine/payload
mount -t ext4 -o ro /dev/vdb /machine/payload
cp -af /machine/payload/settings/. /machine/
# Of mmdebstrap, which must start nothing while it builds.
rm -f /machine/usr/sbin/policy-rc.d
umount /dev /sys /proc
exec switch_root /machine /lib/systemd/systemd
`;

/** The disk with Debian. */
function debianDisk(): string {
  const disk = join(FOLDER, `debian-${hashOf(JSON.stringify([PACKAGES, DISK_MB]))}.ext4`);
  if (existsSync(disk)) return disk;
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  // Hooks see the machine as $1, with root's eyes also when we are not root.
  const hooks = [
    `rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*`,
    // Without /proc and /sys, which are mounted in it now.
    `mkdir "$1.disk" && cp -ax "$1/." "$1.disk/"`,
    `/sbin/mke2fs -q -t ext4 -O ^metadata_csum -d "$1.disk" ${quoted(`${disk}.part`)} ${DISK_MB}M`,
    'rm -rf "$1.disk"',
  ];
  const paths = ["doc", "man", "locale", "info"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  run([
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--format=null",
    `--include=${PACKAGES.join(",")}`,
    ...paths,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    BASE_SUITE,
    "/dev/null",
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror()} ${BASE_SUITE} main`,
  ]);
  run(["mv", `${disk}.part`, disk]);
  return disk;
}

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
export function machineImage(guest: Guest, files: Record<string, string>): Image {
  mkdirSync(FOLDER, { recursive: true });
  const kernel = kernelOf(guest, new Apt(guest.kernelSuite));
  const { folder: modules, driver } = modulesOf(guest, kernel);
  const busybox = join(
    new Apt(BASE_SUITE).unpack(
      ["busybox-static", "libc6", "dahdi", "libtonezone2.0"],
      guest.arch,
      join(RIG, "userland", guest.arch),
    ),
    "bin/busybox",
  );
  const debian = debianDisk();

  const tree = join(FOLDER, "initramfs");
  rmSync(tree, { recursive: true, force: true });
  for (const name of "bin sbin proc sys dev machine".split(" ")) mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, "init"), INIT, { mode: 0o755 });
  cpSync(busybox, join(tree, "bin/busybox"));
  const wanted = [...KERNEL_MODULES.split(" "), "virtio_blk", "crc32c_generic", "ext4", "autofs4", "crc_ccitt"];
  takeModules(kernel, wanted, tree);
  const initramfs = join(FOLDER, "initramfs.cpio");
  run(["sh", "-c", `find . -print0 | cpio --quiet --null -o -H newc > '${initramfs}'`], { cwd: tree });
  rmSync(tree, { recursive: true });

  const payload = join(FOLDER, "payload");
  rmSync(payload, { recursive: true, force: true });
  mkdirSync(payload);
  for (const [name, path] of Object.entries({ ...files, agent: agentOf(guest), busybox }))
    cpSync(path, join(payload, name));
  settings(join(payload, "settings"), kernel.abi, modules);
  const sizeMb = Number(run(["du", "-sm", payload]).split("\t")[0]) + 32;
  const disk = join(FOLDER, "payload.ext4");
  rmSync(disk, { force: true });
  run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", payload, disk, `${sizeMb}M`]);
  rmSync(payload, { recursive: true });
  const machine = join(FOLDER, "machine.ext4");
  run(["cp", "--sparse=always", debian, machine]);
  return {
    kernel: kernel.image,
    initramfs,
    disks: [machine, disk],
    versions: { kernel: kernel.abi, driver },
  };
}

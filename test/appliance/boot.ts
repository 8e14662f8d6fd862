/** What every machine of these tests boots from: the rig's kernel, an initramfs that finds two disks, and the disks. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BASE_SUITE, type Guest } from "../rig/guests";
import { agentOf, type Image, KERNEL_MODULES, kernelOf, takeModules } from "../rig/image";
import { Apt, RIG, run } from "../rig/packages";

export const FOLDER = join(RIG, "appliance");

const MOUNTED = `#!/bin/busybox sh
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
`;

const busyboxOf = (guest: Guest): string =>
  join(
    new Apt(BASE_SUITE).unpack(
      ["busybox-static", "libc6", "dahdi", "libtonezone2.0"],
      guest.arch,
      join(RIG, "userland", guest.arch),
    ),
    "bin/busybox",
  );

/** then: what the initramfs does once Debian's disk is at /machine and the payload at /machine/payload. */
export function bootImage(guest: Guest, then: string, debian: string, payload: string): Image {
  const kernel = kernelOf(guest, new Apt(guest.kernelSuite));
  const tree = join(FOLDER, `initramfs-${guest.arch}`);
  rmSync(tree, { recursive: true, force: true });
  for (const name of "bin sbin proc sys dev machine".split(" ")) mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, "init"), `${MOUNTED}${then}`, { mode: 0o755 });
  cpSync(busyboxOf(guest), join(tree, "bin/busybox"));
  const wanted = [...KERNEL_MODULES.split(" "), "virtio_blk", "crc32c_generic", "ext4", "autofs4", "crc_ccitt"];
  takeModules(kernel, wanted, tree);
  const initramfs = join(FOLDER, `initramfs-${guest.arch}.cpio`);
  run(["sh", "-c", `find . -print0 | cpio --quiet --null -o -H newc > '${initramfs}'`], { cwd: tree });
  rmSync(tree, { recursive: true });
  return {
    kernel: kernel.image,
    initramfs,
    disks: [debian, payload],
    versions: { kernel: kernel.abi, driver: "" },
  };
}

/** A disk with the tests' hand, a shell, the files (name → path here) and what `more` puts there. */
export function payloadDisk(guest: Guest, files: Record<string, string>, more?: (tree: string) => void): string {
  const tree = join(FOLDER, `payload-${guest.arch}`);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  for (const [name, path] of Object.entries({ ...files, agent: agentOf(guest), busybox: busyboxOf(guest) }))
    cpSync(path, join(tree, name));
  more?.(tree);
  const sizeMb = Number(run(["du", "-sm", tree]).split("\t")[0]) + 32;
  const disk = join(FOLDER, `payload-${guest.arch}.ext4`);
  rmSync(disk, { force: true });
  run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, disk, `${sizeMb}M`]);
  rmSync(tree, { recursive: true });
  return disk;
}

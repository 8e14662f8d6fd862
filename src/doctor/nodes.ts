/** /dev/dahdi: are the nodes there, and who may open them. */
import { constants } from "node:os";
import { dirname } from "node:path";
import type { ChannelProbe } from "../driver/probe";
import { error, type Finding, ok, warning } from "./findings";
import { dropIn, type ServiceUnit, serviceUnit } from "./service";
import { type FileFacts, groupName, type System } from "./system";

const { EACCES, EPERM } = constants.errno;
const READ_WRITE = 6;

/** control: not ours to open, but without it dahdi_cfg sets up nothing. */
export function checkNodes(system: System, { device, control }: { device: string; control: string }): Finding {
  const missing = [device, control].filter((path) => system.stat(path) === null);
  if (missing.length === 0) {
    const facts = system.stat(device) as FileFacts;
    const mode = facts.mode.toString(8);
    return ok(
      "device_nodes",
      `${device} and ${control} are there, group ${groupName(system, facts.gid)}, mode ${mode}`,
    );
  }
  const commands = missing.map((path) => makeNode(system, path));
  if (commands.some((command) => command === null)) {
    return error("device_nodes", `${missing.join(" and ")} ${missing.length > 1 ? "do" : "does"} not exist`, {
      detail:
        "The driver makes /dev/dahdi/channel and /dev/dahdi/ctl: dahdi.device and dahdi.control in the configuration name them.",
      fix: "ls -l /dev/dahdi",
    });
  }
  const neighbour = [device, control].map((path) => system.stat(path)).find((facts) => facts !== null);
  if (neighbour) commands.push(`sudo chgrp ${groupName(system, neighbour.gid)} ${missing.join(" ")}`);
  return error("device_nodes", `${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not there`, {
    detail:
      "The driver is loaded and makes them, so something has removed them; loading the driver anew helps as well.",
    fix: commands.join(" && "),
  });
}

/** Null where the driver has no such node. */
function makeNode(system: System, path: string): string | null {
  const name = path.split("/").at(-1);
  const numbers = system.readText(`/sys/class/dahdi/dahdi!${name}/dev`)?.trim().split(":");
  if (numbers?.length !== 2) return null;
  return `sudo mkdir -p ${dirname(path)} && sudo mknod -m 660 ${path} c ${numbers.join(" ")}`;
}

/** Which of those who matter may not open it: the one who asks, and the service's user. */
export function checkPermission(system: System, device: string, probe: ChannelProbe): Finding {
  const facts = system.stat(device);
  if (!facts) return error("permission", `Nobody can open ${device}: it is not there`);
  const { user } = system;
  const group = groupName(system, facts.gid);
  const mayNot = probe.deviceError === EACCES || probe.deviceError === EPERM;
  const unit = serviceUnit(system);
  if (unit && !serviceMayOpen(system, unit, facts, group)) {
    return error("permission", `The service's user ${unit.user} may not open ${device}`, {
      detail: `It belongs to group ${group}, mode ${facts.mode.toString(8)}; ${unit.path} gives ${unit.groups.join(", ") || "no group"}.`,
      fix: groupOpens(facts)
        ? dropIn("group", `SupplementaryGroups=${group}`)
        : `${giveToGroup(OWN_GROUP)} && ${dropIn("group", `SupplementaryGroups=${OWN_GROUP}`)}`,
    });
  }
  if (mayNot) {
    const inGroup = groupOpens(facts) && user.groups.includes(facts.gid);
    return error("permission", `${user.name} may not open ${device}`, {
      detail: inGroup
        ? "The group would allow it: a container's device rules, or systemd's DeviceAllow, forbid it."
        : "Membership counts from the next login on.",
      fix: inGroup
        ? "systemctl show dahdi-phone-api -p DevicePolicy -p DeviceAllow"
        : groupOpens(facts)
          ? `sudo usermod -aG ${group} ${user.name}`
          : `${giveToGroup(OWN_GROUP)} && sudo usermod -aG ${OWN_GROUP} ${user.name}`,
    });
  }
  if (user.uid === 0 && !unit && (facts.mode & READ_WRITE) !== READ_WRITE) {
    return ok("permission", `root may open ${device}; another user needs the group ${group}`, {
      detail: "Ask the doctor as the user that will run the program.",
    });
  }
  return ok(
    "permission",
    `${user.name}${unit?.user ? ` and the service's user ${unit.user}` : ""} may open ${device}`,
  );
}

/** Debian's group for serial devices, and what our unit names. */
const OWN_GROUP = "dialout";

const groupOpens = ({ mode, gid }: FileFacts): boolean => gid !== 0 && ((mode >> 3) & READ_WRITE) === READ_WRITE;

function serviceMayOpen(system: System, unit: ServiceUnit, facts: FileFacts, group: string): boolean {
  if (unit.user === null || unit.user === "root" || unit.user === "0") return true;
  if ((facts.mode & READ_WRITE) === READ_WRITE) return true;
  if (uidOf(system, unit.user) === facts.uid && ((facts.mode >> 6) & READ_WRITE) === READ_WRITE) return true;
  const member = groupMembers(system, group).includes(unit.user) || unit.groups.includes(group);
  return ((facts.mode >> 3) & READ_WRITE) === READ_WRITE && (member || unit.groups.includes(String(facts.gid)));
}

const rowOf = (text: string | null, name: string): string[] =>
  text
    ?.split("\n")
    .find((row) => row.startsWith(`${name}:`))
    ?.split(":") ?? [];
const uidOf = (system: System, name: string): number | null => {
  const uid = rowOf(system.readText("/etc/passwd"), name)[2];
  return uid === undefined ? null : Number(uid);
};
const groupMembers = (system: System, group: string): string[] =>
  rowOf(system.readText("/etc/group"), group)[3]?.split(",") ?? [];

/**
 * A udev rule that outlives the next start, behind the driver's and ours, and its effect now. Not all of
 * dahdi*: the driver's rules for spans and devices would configure the card anew.
 */
const giveToGroup = (group: string): string =>
  `printf 'SUBSYSTEM=="dahdi|dahdi_channels", GROUP="${group}", MODE="0660"\\n' | sudo tee /etc/udev/rules.d/71-dahdi-group.rules && ` +
  "sudo udevadm control --reload && sudo udevadm trigger --action=add --subsystem-match=dahdi --subsystem-match=dahdi_channels";

/** The zones that ship in dahdi-tools are many; the first is what an empty configuration means. */
export function checkToneZone(system: System, probe: ChannelProbe): Finding {
  const { ENODATA } = constants.errno;
  if (probe.zoneError === 0) {
    return ok("tone_zone", `A tone zone is loaded${probe.zone === 0 ? " (us)" : `, number ${probe.zone}`}`);
  }
  if (probe.zoneError !== ENODATA) {
    return warning("tone_zone", "The driver could not be asked for its tone zone", {
      detail: "Its node /dev/dahdi/pseudo could not be opened: see the findings above, or ask as root.",
    });
  }
  const named = /^\s*loadzone\s*=/m.test(system.readText("/etc/dahdi/system.conf") ?? "");
  return error("tone_zone", "No tone zone is loaded: the driver refuses to ring", {
    detail: named
      ? "/etc/dahdi/system.conf names one, but dahdi_cfg has not run since the driver was loaded."
      : "us is North America's: write your country's (de, uk, fr, …); it does not matter to the telephone's bell.",
    fix: named
      ? "sudo dahdi_cfg -vv"
      : "printf 'loadzone=us\\ndefaultzone=us\\n' | sudo tee -a /etc/dahdi/system.conf && sudo dahdi_cfg -vv",
  });
}

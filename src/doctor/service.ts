/** Our systemd unit with its drop-ins: the user that it runs as is not the one who asks the doctor. */
import type { System } from "./system";

const UNIT = "dahdi-phone-api.service";
const PLACES = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];
export const DROP_IN_FOLDER = `/etc/systemd/system/${UNIT}.d`;

export interface ServiceUnit {
  path: string;
  /** Null: root. A dynamic user is "dahdi-phone-api". */
  user: string | null;
  /** Names of the groups that the unit gives. */
  groups: string[];
  /** LimitRTPRIO, null where it does not say. */
  realtimePriority: number | null;
}

export function serviceUnit(system: System): ServiceUnit | null {
  const place = PLACES.find((folder) => system.readText(`${folder}/${UNIT}`) !== null);
  if (!place) return null;
  const texts = [system.readText(`${place}/${UNIT}`) ?? ""];
  for (const name of system.list(DROP_IN_FOLDER) ?? [])
    if (name.endsWith(".conf")) texts.push(system.readText(`${DROP_IN_FOLDER}/${name}`) ?? "");
  const unit: ServiceUnit = { path: `${place}/${UNIT}`, user: null, groups: [], realtimePriority: null };
  let dynamic = false;
  for (const row of texts.join("\n").split("\n")) {
    const [, key, value = ""] = /^(\w+)=(.*)$/.exec(row.trim()) ?? [];
    if (key === "User") unit.user = value.trim() || null;
    else if (key === "DynamicUser") dynamic = /^(yes|true|on|1)$/i.test(value.trim());
    else if (key === "Group") unit.groups.push(value.trim());
    else if (key === "SupplementaryGroups") {
      // An empty value takes back what stood before.
      unit.groups = value.trim() === "" ? [] : [...unit.groups, ...value.trim().split(/\s+/)];
    } else if (key === "LimitRTPRIO") unit.realtimePriority = limit(value.trim());
  }
  if (dynamic) unit.user ??= "dahdi-phone-api";
  return unit;
}

/** "10", "10:20" (soft and hard), "infinity". */
function limit(value: string): number | null {
  const soft = value.split(":")[0] ?? "";
  return soft === "infinity" ? Number.POSITIVE_INFINITY : Number.parseInt(soft, 10) || null;
}

/** The command that adds settings to the unit and starts it anew. */
export const dropIn = (name: string, setting: string): string =>
  `sudo mkdir -p ${DROP_IN_FOLDER} && printf '[Service]\\n${setting}\\n' | sudo tee ${DROP_IN_FOLDER}/${name}.conf && ` +
  "sudo systemctl daemon-reload && sudo systemctl restart dahdi-phone-api";

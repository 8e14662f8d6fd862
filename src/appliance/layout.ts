/** Every path that an installation has, and what stands in the files. tools/deb.ts puts the same under Debian's paths. */
import exampleConfig from "../../docs/config.example.yml" with { type: "text" };
import udevRules from "../../systemd/70-dahdi-phone-api.rules" with { type: "text" };
import unit from "../../systemd/dahdi-phone-api.service" with { type: "text" };
import sysusers from "../../systemd/dahdi-phone-api.sysusers.conf" with { type: "text" };
import tmpfiles from "../../systemd/dahdi-phone-api.tmpfiles.conf" with { type: "text" };
import { DEFAULT_CONFIG_PATH } from "../config/load";

export const NAME = "dahdi-phone-api";
export const UNIT = `${NAME}.service`;
export const USER = NAME;

export const BINARY = `/usr/local/bin/${NAME}`;
/** Beside it, so that the two change places by renaming. */
export const PREVIOUS = `${BINARY}.previous`;
export const UNIT_PATH = `/etc/systemd/system/${UNIT}`;
export const DROP_INS = `${UNIT_PATH}.d`;
/** What `systemctl enable` makes. */
export const ENABLED_LINK = `/etc/systemd/system/multi-user.target.wants/${UNIT}`;
export const SYSUSERS_PATH = `/etc/sysusers.d/${NAME}.conf`;
export const TMPFILES_PATH = `/etc/tmpfiles.d/${NAME}.conf`;
export const CONFIG_PATH = DEFAULT_CONFIG_PATH;
export const STATE_FOLDER = `/var/lib/${NAME}`;
/** There while systemd is not told yet of all that was put; gone with the next start of the machine, which reads it all. */
export const UNFINISHED = `/run/${NAME}.unfinished`;
/** What restore keeps beside what it replaces. */
export const BEFORE_RESTORE = [`${STATE_FOLDER}.before-restore`, `${CONFIG_PATH}.before-restore`];
/** Where Debian's package puts the unit: the two installations exclude each other. */
export const PACKAGED_UNITS = [`/usr/lib/systemd/system/${UNIT}`, `/lib/systemd/system/${UNIT}`];
export interface FileOfOurs {
  path: string;
  text: string;
}

/** Written anew by each install; the configuration is not among them, it is its owner's. */
export const FILES: readonly FileOfOurs[] = [
  { path: SYSUSERS_PATH, text: sysusers },
  { path: TMPFILES_PATH, text: tmpfiles },
  { path: "/etc/udev/rules.d/70-dahdi-phone-api.rules", text: udevRules },
  { path: UNIT_PATH, text: unit },
];

/** Every key, commented out: what is not said follows the program's own defaults, also those of its next version. */
export const initialConfig = (): string =>
  (exampleConfig as string)
    .split("\n")
    .map((line) => (line === "" || line.startsWith("#") ? line : `#${line}`))
    .join("\n")
    .replace("every key with its default.", "every key with its default, commented out.");

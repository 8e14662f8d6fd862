/** Where what must outlive the process is kept. */
import { existsSync } from "node:fs";
import { join } from "node:path";

const NAME = "dahdi-phone-api";
/** What StateDirectory= of our unit makes. */
const OF_SERVICE = `/var/lib/${NAME}`;

/** The configured folder; else systemd's; else the user's XDG state folder. null: there is none of them. */
export function stateDirectory(
  configured: string | null,
  environment: Record<string, string | undefined>,
  homeFolder: string,
): string | null {
  if (configured !== null) return configured;
  // systemd names several with colons between; ours is the first.
  const [ofSystemd] = environment.STATE_DIRECTORY?.split(":") ?? [];
  if (ofSystemd?.startsWith("/")) return ofSystemd;
  // The XDG specification: a path that is not absolute does not count.
  const ofUser = environment.XDG_STATE_HOME;
  if (ofUser?.startsWith("/")) return join(ofUser, NAME);
  return homeFolder.startsWith("/") ? join(homeFolder, ".local/state", NAME) : null;
}

/** The one that root means beside the service: the service's own, where nothing else is said. */
export function administeredDirectory(
  configured: string | null,
  environment: Record<string, string | undefined>,
  homeFolder: string,
): string | null {
  const said = configured !== null || environment.STATE_DIRECTORY || environment.XDG_STATE_HOME;
  if (!said && process.getuid?.() === 0 && existsSync(OF_SERVICE)) return OF_SERVICE;
  return stateDirectory(configured, environment, homeFolder);
}

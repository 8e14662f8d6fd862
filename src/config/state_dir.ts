/** Where what must outlive the process is kept. */
import { join } from "node:path";

const NAME = "dahdi-phone-api";

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

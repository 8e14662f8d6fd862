/** The import arrows of ARCHITECTURE.md, enforced: which room may know which. Prints every breach; exit code 1. */

import { dirname, join, normalize } from "node:path";
import { Glob } from "bun";

/** Room → the rooms that it may import. main.ts and its commands/ may import all. Files of src/ itself are rooms of their own. */
const ARROWS: Record<string, readonly string[]> = {
  line: [],
  audio: [],
  driver: ["line"],
  events: ["line", "network"],
  exchange: ["line", "driver", "audio", "events", "recordings"],
  flight: ["exchange", "driver", "line", "audio", "recordings"],
  http: [
    "exchange",
    "flight",
    "events",
    "line",
    "audio",
    "observe",
    "recordings",
    "security",
    "sounds",
    "streams",
  ],
  doctor: ["driver", "line", "config"],
  appliance: ["config", "security", "command_line.ts"],
  backup: ["config", "command_line.ts"],
  observe: [],
  security: [],
  recordings: ["line", "audio"],
  network: [],
  sounds: ["audio", "network", "recordings"],
  streams: ["exchange", "audio", "line", "network", "observe"],
  config: ["audio", "events", "line", "network", "observe", "security", "streams"],
  "command_line.ts": ["security"],
};
/** Importing these at all is the privilege of few. */
const PRIVILEGES: Record<string, readonly string[]> = {
  "bun:ffi": ["src/driver/library.ts"],
  "bun:sqlite": [
    "src/events/log_store.ts",
    "src/events/log_layout.ts",
    "src/events/log_pieces.ts",
    "src/events/outdated.ts",
    "src/backup/event_snapshot.ts",
  ],
};

const root = join(import.meta.dir, "..");
const breaches: string[] = [];
const roomOf = (path: string): string => path.split("/")[1] ?? "";

for (const path of new Glob("src/**/*.ts").scanSync({ cwd: root })) {
  const source = await Bun.file(join(root, path)).text();
  for (const [, imported] of source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    if (imported === undefined) continue;
    const owners = PRIVILEGES[imported];
    if (owners && !owners.includes(path))
      breaches.push(`${path} imports ${imported}: only ${owners.join(", ")} may`);
    if (!imported.startsWith(".")) continue;
    const target = normalize(join(dirname(path), imported));
    if (!target.startsWith("src/") || path === "src/main.ts" || path.startsWith("src/commands/")) continue;
    const from = roomOf(path);
    const to = roomOf(target).replace(/^(command_line|main)$/, "$1.ts");
    if (from === to) continue;
    if (!ARROWS[from]?.includes(to)) breaches.push(`${path} imports ${target}: no arrow from ${from} to ${to}`);
  }
}
for (const breach of breaches) console.error(breach);
process.exit(breaches.length > 0 ? 1 : 0);

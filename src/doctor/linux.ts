/** The machine that this runs on. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { release } from "node:os";
import type { System } from "./system";

function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

function tryListen(host: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown error"));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Who has no row in /etc/passwd (a container's user) has a number for a name. */
function userName(uid: number): string {
  const rows = orNull(() => readFileSync("/etc/passwd", "utf8"))?.split("\n") ?? [];
  return rows.find((row) => row.split(":")[2] === String(uid))?.split(":")[0] ?? String(uid);
}

const uid = process.getuid?.() ?? -1;

export const linuxSystem = (probe: System["probe"]): System => ({
  readText: (path) => orNull(() => readFileSync(path, "utf8")),
  list: (folder) => orNull(() => readdirSync(folder).sort()),
  link: (path) => orNull(() => readlinkSync(path)),
  stat: (path) =>
    orNull(() => {
      const { uid, gid, mode } = statSync(path);
      return { uid, gid, mode: mode & 0o777 };
    }),
  kernel: release(),
  pid: process.pid,
  user: { uid, name: userName(uid), groups: process.getgroups?.() ?? [] },
  which: (program) => Bun.which(program),
  tryListen,
  probe,
});

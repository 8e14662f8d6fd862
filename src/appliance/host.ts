/** The machine that is installed on: a folder that its paths begin in, and its commands. */
import { existsSync, writeSync } from "node:fs";
import { HELD } from "./one_at_a_time";

export interface Ran {
  code: number;
  /** Both streams. */
  output: string;
}

export interface Host {
  /** "" for this machine's own files. */
  root: string;
  /** systemd and udev are to be told; false where a folder is filled that a machine will start from later. */
  live: boolean;
  uid: number;
  /** This program's own file; null when it runs from its source. */
  executable: string | null;
  /** Another one of us waits for this one, and keeps others away meanwhile. */
  held: boolean;
  run(command: readonly string[]): Promise<Ran>;
  /** False: nobody can read it. */
  say(line: string): boolean;
  sleep(ms: number): Promise<void>;
  /** Why nothing can listen on an address of this machine; null: something can. */
  listenFault(address: string): string | null;
}

const COMMAND_LIMIT_MS = 120_000;

export const linuxHost = (root: string): Host => ({
  root,
  live: root === "",
  uid: process.getuid?.() ?? -1,
  executable: ownFile(),
  held: process.env[HELD] !== undefined,
  run: async (command) => {
    try {
      const child = Bun.spawn([...command], {
        // Not where the command was typed: that folder may be gone, and what is in it is somebody else's.
        cwd: "/",
        env: commandEnvironment(process.env),
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        timeout: COMMAND_LIMIT_MS,
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { code, output: out + err };
    } catch (error) {
      return { code: 127, output: `${command[0]}: ${(error as NodeJS.ErrnoException).code ?? error}` };
    }
  },
  say: (line) => written(`${line}\n`),
  sleep: (ms) => Bun.sleep(ms),
  listenFault: (address) => {
    try {
      Bun.listen({ hostname: address, port: 0, socket: { data: () => undefined } }).stop(true);
      return null;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  },
});

function ownFile(): string | null {
  // A compiled program's modules lie in a file system of its own.
  if (!Bun.main.startsWith("/$bunfs/")) return null;
  // Its folder may have been removed since; the kernel still has it.
  return existsSync(process.execPath) ? process.execPath : "/proc/self/exe";
}

/** su without a dash leaves userdel's folder out. The other two act on every program made with Bun. */
export function commandEnvironment(given: Record<string, string | undefined>): Record<string, string | undefined> {
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _asBun, ...rest } = given;
  const system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  return { ...rest, PATH: [given.PATH, ...system].filter(Boolean).join(":"), LC_ALL: "C", [HELD]: "1" };
}

const PATIENCE_MS = 5000;

/** At once, so that what follows is not done before. Who reads may be slow, or gone: that ends no installation. */
function written(text: string): boolean {
  const bytes = Buffer.from(text);
  const until = performance.now() + PATIENCE_MS;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() > until) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
  return true;
}

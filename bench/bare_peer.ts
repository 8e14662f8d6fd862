/** Starts bare_socket.ts: the least that any server takes on this machine. */
import { join } from "node:path";

export interface BarePeer {
  websocket: string;
  /** Sends from now on. */
  begin(): void;
  stop(): Promise<void>;
}

/** atOnce: frames that go out in one write. */
export async function barePeer(atOnce = 1): Promise<BarePeer> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "bare_socket.ts"), String(atOnce)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  return {
    websocket: new TextDecoder().decode(value).trim(),
    begin: () => {
      child.stdin.write("begin\n");
      child.stdin.flush();
    },
    stop: async () => {
      child.kill();
      await child.exited;
    },
  };
}

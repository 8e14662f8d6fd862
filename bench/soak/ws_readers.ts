/** Starts ws_readers.c, which is its manual: clients that read, in a process of their own, and what they saw. */
import { join } from "node:path";
import { ROOT } from "../../test/support/server";

const PROGRAM = "build/bench/soak/ws_readers";

export interface Seen {
  clients: number;
  /** What said when a frame arrived. */
  clock: "kernel" | "recv" | "mixed";
  frames: number;
  /** Of all clients together, beside what any of them got. */
  lost: number;
  duplicates: number;
  disordered: number;
  closed: number;
  /** Clients that did not get exactly what all others got, in its order. */
  wrong: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  ids: number[];
}

export interface Readers {
  pid: number;
  /** They read what has come, up to this id at the least, and say what they saw. */
  finish(lastId?: number): Promise<Seen>;
}

/** Resolves when all are connected: they get every dtmf event from then on. */
export async function readers(websocket: string, count: number): Promise<Readers> {
  const built = Bun.spawnSync(["make", "--no-print-directory", PROGRAM], { cwd: ROOT, stderr: "pipe" });
  if (!built.success) throw new Error(`make ${PROGRAM} failed:\n${built.stderr}`);
  const child = Bun.spawn([join(ROOT, PROGRAM), `${websocket}?types=dtmf&stamp=1`, String(count)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const complaint = new Response(child.stderr).text();
  const output = child.stdout.getReader();
  const { done } = await output.read(); // "ready"
  if (done) throw new Error(await complaint);
  return {
    pid: child.pid,
    finish: async (lastId) => {
      if (lastId !== undefined) child.stdin.write(String(lastId));
      child.stdin.end();
      let text = "";
      for (let piece = await output.read(); !piece.done; piece = await output.read())
        text += new TextDecoder().decode(piece.value);
      if ((await child.exited) !== 0) throw new Error(await complaint);
      const seen = JSON.parse(text) as Seen & { early: number };
      if (seen.frames === 0) throw new Error("no frame arrived");
      if (seen.early > 0) throw new Error(`${seen.early} frames before their time: a clock was set meanwhile`);
      return seen;
    },
  };
}

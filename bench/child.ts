/** A program of the benchmark in a process of its own, once it has said "ready": a line in, a line out. */
import { join } from "node:path";

export interface Child {
  say(text: string): void;
  line(): Promise<string>;
  /** Its standard input ends, and it ends by that. */
  end(): Promise<void>;
}

/** before: what its command begins with, such as nice. */
export async function startChild(file: string, parameters: string[], before: string[] = []): Promise<Child> {
  const child = Bun.spawn([...before, process.execPath, join(import.meta.dir, file), ...parameters], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  let text = "";
  const line = async (): Promise<string> => {
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`${file} is gone`);
      text += new TextDecoder().decode(value);
    }
    const [next = "", ...rest] = text.split("\n");
    text = rest.join("\n");
    return next;
  };
  await line();
  return {
    say: (words) => void child.stdin.write(`${words}\n`),
    line,
    end: async () => {
      await child.stdin.end();
      await child.exited;
    },
  };
}

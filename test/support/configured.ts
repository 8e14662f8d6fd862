/** A server of our own with a configuration of its own, and a socket to say things to it that no client would. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, serverCommand, startServer } from "./server";

export interface ConfiguredServer extends RunningServer {
  /** The state folder; the configuration's file lies in it too. */
  folder: string;
  configPath: string;
}

export async function startConfigured(
  yaml: string,
  lines = 2,
  command: string[] = serverCommand(),
): Promise<ConfiguredServer> {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-configured-"));
  const configPath = join(folder, "config.yml");
  writeFileSync(configPath, yaml);
  const server = await startServer({
    command,
    arguments: [`--simulate=${lines}`, `--config=${configPath}`],
    stateDir: folder,
  });
  const stop = async (signal?: NodeJS.Signals): Promise<number> => {
    const code = await server.stop(signal);
    rmSync(folder, { recursive: true, force: true });
    return code;
  };
  return { ...server, folder, configPath, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** `dahdi-phone-api token …` beside a server. */
export async function tokenCommand(folder: string, ...words: string[]) {
  const child = Bun.spawn([...serverCommand(), "token", ...words], {
    env: { PATH: process.env.PATH ?? "", DAHDI_API_STATE_DIR: folder },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out: out.trim(), err: err.trim(), code };
}

/** Says it, byte for byte, and returns all that comes until the other side closes or an answer is whole. */
export async function rawRequest(
  base: string,
  text: string,
): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port } = new URL(base);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  const whole = (): boolean => {
    const end = received.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const length = /content-length: (\d+)/i.exec(received.slice(0, end))?.[1];
    return length === undefined ? /^HTTP\/1.1 101/.test(received) : received.length >= end + 4 + Number(length);
  };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, bytes) => {
        received += bytes.toString();
        if (whole()) resolve(received);
      },
      close: () => resolve(received),
      error: (_, error) => reject(error),
    },
  });
  socket.write(text);
  const answer = await promise;
  socket.end();
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)?.[1]), head, body };
}

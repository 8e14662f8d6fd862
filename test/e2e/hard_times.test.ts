/** What a machine may do to the executable, and what then is promised (docs/reliability.md). */
import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { EventListener, get, post, simulatedTelephone } from "../support/client";
import { eventually, ROOT, startServer } from "../support/server";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");

test("no file descriptor is left: who is connected is served on, and others are when there are some again", async () => {
  await using server = await startServer({
    command: ["prlimit", "--nofile=96:96", EXECUTABLE],
    arguments: ["--simulate=2"],
  });
  await post(`${server.rest}/lines/1/ring`, { pattern: "CONTINUOUS" });
  using events = await EventListener.open(`${server.websocket}?line=1`);
  const port = Number(new URL(server.rest).port);
  const early = connect({ port, host: "127.0.0.1" });
  await once(early, "connect");
  const keptOpen = async (request: string): Promise<void> => {
    early.write(`${request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`);
    const [answer] = (await once(early, "data")) as [Buffer];
    expect(String(answer)).toStartWith("HTTP/1.1 200");
  };
  const greedy: Socket[] = [];
  for (let i = 0; i < 150; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    greedy.push(socket);
  }
  const openFiles = async (): Promise<number> =>
    (await Array.fromAsync(new Bun.Glob("*").scan({ cwd: `/proc/${server.pid}/fd`, onlyFiles: false }))).length;
  await eventually(openFiles, (files) => files >= 92);
  // A connection of its own, made while there were some, still gives orders.
  await keptOpen("POST /lines/1/stop-ring");
  await events.event("ring_stop", { reason: "stopped" });
  expect(await openFiles()).toBeGreaterThanOrEqual(85);
  for (const socket of greedy) socket.destroy();
  await eventually(
    () => get(`${server.rest}/health`).catch(() => null),
    (answer) => answer?.status === 200,
  );
  const phone = simulatedTelephone(server, 1);
  await phone.lift();
  await phone.press("5");
  await events.event("dtmf", { digit: "5" });
  expect(await server.stop()).toBe(0);
}, 120_000);

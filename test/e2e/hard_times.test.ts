/** What a machine may do to the executable, and what then is promised (docs/reliability.md). */
import { expect, test } from "bun:test";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { EventListener, get, post, simulatedTelephone } from "../support/client";
import { eventually, ROOT, startServer } from "../support/server";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");

test("clients do not take the last descriptors: who is connected is served on, and what needs a file gets it", async () => {
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
  const greedy = new Set<Socket>();
  const open = (): void => {
    const socket = connect({ port, host: "127.0.0.1" }, () => socket.write("GET /health HTTP/1.1\r\n"));
    greedy.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => greedy.delete(socket));
  };
  for (let i = 0; i < 150; i++) open();
  await eventually(
    () => server.log(),
    (log) => log.includes("connections were closed: too many are open"),
  );
  const highest = (): number => Math.max(...readdirSync(`/proc/${server.pid}/fd`).map(Number));
  // A quarter of so few is kept; who is refused is gone at the next look.
  await eventually(highest, (number) => number < 96 - 24);
  // A connection of its own, made while there were some, still gives orders; a recording is a file.
  await keptOpen("POST /lines/1/stop-ring");
  await events.event("ring_stop", { reason: "stopped" });
  await keptOpen("POST /simulator/lines/1/lift");
  await keptOpen("POST /lines/1/record");
  await events.event("recording_started");
  await keptOpen("POST /lines/1/record/stop");
  await events.event("recording_finished", { reason: "stopped" });
  for (const socket of greedy) socket.destroy();
  await eventually(
    () => get(`${server.rest}/health`).catch(() => null),
    (answer) => answer?.status === 200,
  );
  await simulatedTelephone(server, 1).press("5");
  await events.event("dtmf", { digit: "5" });
  expect(await server.stop()).toBe(0);
}, 120_000);

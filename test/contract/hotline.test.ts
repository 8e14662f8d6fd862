/** Lines whose lift connects a bot. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, simulatedTelephone } from "../support/client";
import { goertzelDbm0 } from "../support/level";
import { RemoteBot } from "../support/remote_bot";
import { eventually, type RunningServer, startServer } from "../support/server";

const HOTLINE = 1;
const DEAD_LINE = 2;
let server: RunningServer;
let hotlineBot: RemoteBot;
let events: EventListener;
beforeAll(async () => {
  hotlineBot = await RemoteBot.start("twilio");
  const path = join(tmpdir(), `dahdi-hotline-${process.pid}.yml`);
  writeFileSync(
    path,
    "simulator: { echo_return_loss_db: 0, noise_dbm0: -120, companding: none }\n" +
      "hotline:\n" +
      `  - { line: ${HOTLINE}, url: "${hotlineBot.url}/hot", custom_parameters: { line: kitchen } }\n` +
      `  - { line: ${DEAD_LINE}, url: 'tcp://127.0.0.1:1' }\n`,
  );
  server = await startServer({ arguments: ["--simulate=2", "--config", path] });
  events = await EventListener.open(server.websocket);
});
afterAll(async () => {
  events[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
  await hotlineBot[Symbol.asyncDispose]();
});

test("a lift connects its bot, again and again; what it is told stands in the configuration", async () => {
  const phone = simulatedTelephone(server, HOTLINE);
  for (let lift = 1; lift <= 2; lift++) {
    await phone.lift();
    await eventually(
      () => hotlineBot.messages().filter(({ event }) => event === "start"),
      (starts) => starts.length === lift,
    );
    await phone.hangUp();
    await eventually(
      () => hotlineBot.messages().filter(({ event }) => event === "stop"),
      (stops) => stops.length === lift,
    );
  }
  const { start } = await hotlineBot.hears("start");
  expect(start).toMatchObject({ customParameters: { line: "kitchen" } });
});

test("nobody there is told, and heard as the reorder tone", async () => {
  const phone = simulatedTelephone(server, DEAD_LINE);
  await phone.lift();
  const told = await events.event("stream_stopped", { line: DEAD_LINE });
  expect(told).toMatchObject({ reason: "connect_failed", detail: "cannot be reached (ECONNREFUSED)" });
  await eventually(
    async () => goertzelDbm0(await phone.ear(0.25), 480),
    (level) => level > -30,
  );
  expect((await get(`${server.rest}/lines/${DEAD_LINE}/status`)).body.state).toBe("OFF_HOOK");
});

import { expect, test } from "bun:test";
import { join } from "node:path";

const LIFECYCLE = join(import.meta.dir, "../../../src/commands/lifecycle.ts");

/** A server of which nothing ever settles: a card, clients, a disk. */
const STUCK = `
  const { lifecycle } = require(${JSON.stringify(LIFECYCLE)});
  const never = () => new Promise(() => undefined);
  const log = { debug() {}, info() {}, warning() {}, error() {}, enabled: () => false };
  lifecycle({
    logs: { server: log }, logControl: { reopen() {}, flushed: never }, editor: {}, lookAtCertificate() {},
    notify() {}, stopWatchdog() {},
    exchange: { lines: [1], stopRing: never, endWaits() {} },
    clients: [{ closeAll() {} }], listeners: [{ port: 0, stop: never }], settled: never, end: never,
  });
  setInterval(() => undefined, 1000);
  console.log("ready");
`;

test("a server that is told to stop does so, whatever never ends: the event log's disk neither", async () => {
  const child = Bun.spawn([process.execPath, "-e", STUCK], { stdout: "pipe", stderr: "inherit" });
  for await (const chunk of child.stdout) if (new TextDecoder().decode(chunk).includes("ready")) break;
  child.kill("SIGTERM");
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

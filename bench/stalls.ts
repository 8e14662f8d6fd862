/**
 * `make bench`: for how long one client's request keeps JavaScript from everybody else. A block of live audio is 20 ms, and
 * a Raspberry Pi takes several times as long as this machine. Every request is measured when it is the first of its kind,
 * which loads what it needs, and then again; and a flood of dear ones.
 *   bun bench/stalls.ts [--source]
 */
import { join } from "node:path";
import { encodeWav } from "../src/audio/wav";
import { simulatedTelephone } from "../test/support/client";
import { ROOT, startServer } from "../test/support/server";
import { noise } from "../test/support/stepped";
import { startChild } from "./child";
import { Figures } from "./figures";

const BAR_MS = "<= 20";
/** What stands still by accident, of this machine, is no request's fault: of so many it is the least. */
const TIMES = 3;
const SETTLE_MS = 150;
const FLOOD_S = 5;

const command = process.argv.includes("--source")
  ? [process.execPath, join(ROOT, "src/main.ts")]
  : [join(ROOT, "dist/dahdi-phone-api-linux-x64")];
const first = process.getuid?.() === 0 ? ["nice", "-n", "-10"] : [];
const figures = new Figures();

const start = () => startServer({ command: [...first, ...command], arguments: ["--simulate=2"] });
type Server = Awaited<ReturnType<typeof start>>;

interface Asked {
  name: string;
  ask(base: string): Promise<Response>;
}

const GETS = [
  "/docs",
  "/openapi.json",
  "/asyncapi.json",
  "/metrics",
  "/health",
  "/ready",
  "/status",
  "/events?limit=1000",
  "/lines",
  "/lines/1/diagnostics",
  "/config",
  "/tokens",
  "/prompts",
  "/recordings",
  "/webhooks",
  "/speech/voices",
];

const json = (path: string, body: unknown): Asked => ({
  name: `POST ${path}`,
  ask: (base) =>
    fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
});

/** Ten seconds at CD quality, as a person would send them. */
const WAV = encodeWav(noise(441_000, 5, 8000), 44_100);

const REQUESTS: Asked[] = [
  ...GETS.map((path) => ({ name: `GET ${path}`, ask: (base: string) => fetch(base + path) })),
  json("/play-tone", { tone: "dial" }),
  { name: "POST /play-audio, a WAV", ask: (base) => fetch(`${base}/play-audio`, { method: "POST", body: WAV }) },
  json("/say", { text: "Hello" }),
  json("/gather?wait=false", { max_digits: 1, timeout: 1 }),
  json("/record", {}),
  json("/record/stop", {}),
  json("/lines/2/ring", { pattern: "NORMAL" }),
  json("/lines/2/stop-ring", {}),
  json("/play-audio", { url: "http://127.0.0.1:1/no.wav" }),
  json("/ring", { pattern: "x".repeat(100_000) }),
  { name: "PATCH /config", ask: (base) => fetch(`${base}/config`, { method: "PATCH", body: "{}" }) },
];

/** By how much the worst pong was late while it ran. */
async function stall(server: Server, run: () => Promise<unknown>): Promise<number> {
  const pinger = await startChild("pinger.ts", [server.websocket], first);
  await Bun.sleep(SETTLE_MS); // what it takes to start is not the server's
  pinger.say("anew");
  await run();
  await Bun.sleep(SETTLE_MS); // what the answer set off belongs to it
  pinger.say("worst");
  const worstMs = Number(await pinger.line());
  await pinger.end();
  return worstMs;
}

const answered = async ({ ask }: Asked, base: string): Promise<void> => {
  const answer = await ask(base);
  await answer.arrayBuffer();
  if (answer.status >= 500 && answer.status !== 501) throw new Error(`${answer.url}: ${answer.status}`);
};

async function oneByOne(): Promise<void> {
  const cold = new Map<string, number>();
  const warm = new Map<string, number>();
  for (let time = 0; time < TIMES; time++) {
    await using server = await start();
    await simulatedTelephone(server, 1).lift();
    for (const kind of [cold, warm]) {
      for (const asked of REQUESTS) {
        const ms = await stall(server, () => answered(asked, server.rest));
        kind.set(asked.name, Math.min(ms, kind.get(asked.name) ?? Number.POSITIVE_INFINITY));
      }
      await fetch(`${server.rest}/stop-audio`, { method: "POST" });
    }
  }
  for (const [which, kind] of [
    ["first", cold],
    ["again", warm],
  ] as const) {
    const [worst = ["none", Number.NaN], ...others] = [...kind].sort(([, a], [, b]) => b - a);
    figures.add(`JavaScript stands still longest for: ${worst[0]}, ${which}`, worst[1], "ms", BAR_MS);
    for (const [name, ms] of others.slice(0, 2)) figures.add(`  then ${name}, ${which}`, ms, "ms");
  }
}

async function flooded(): Promise<void> {
  await using server = await start();
  const phone = simulatedTelephone(server, 1);
  await phone.lift();
  for (let i = 0; i < 40; i++) await phone.press("0123456789", { on_ms: 50, off_ms: 50 }); // a page has something to say
  const { rest } = server;
  for (const connections of [32, 256]) {
    const ms = await stall(server, async () => {
      const flood = Bun.spawn(["wrk", "-t1", `-c${connections}`, `-d${FLOOD_S}s`, `${rest}/events?limit=1000`], {
        stdout: "ignore",
        stderr: "inherit",
      });
      await flood.exited;
    });
    figures.add(
      `JavaScript stands still in a flood of ${connections} that ask for 1,000 events`,
      ms,
      "ms",
      BAR_MS,
    );
  }
}

await oneByOne();
await flooded();
figures.end();

/** Four telephones talking for a minute under HTTP load: nothing is lost, and what it costs. */
import { expect, test } from "bun:test";
import { EventListener, get, post } from "../support/client";
import { noise } from "../support/stepped";
import { NS_PER_INSTRUCTION } from "./guest";
import { measured } from "./report";
import { agent, oneServer } from "./rig_line";

const LINES = 4;
const SECONDS = 60;
/** Between two requests of one client; there are two. */
const REQUEST_PAUSE_MS = 10;

const { server, freshLine } = oneServer(
  `dahdi: { channels: [${Array.from({ length: LINES }, (_, i) => i + 1)}] }\n`,
);

interface Cpu {
  /** Of the guest's clock. */
  s: number;
  /** By the I/O thread, and by the whole process. */
  ioInstructions: number;
  instructions: number;
}

async function cpu(): Promise<Cpu> {
  const tasks = `/proc/${server().pid}/task`;
  const text = await agent.sh(
    `cat /proc/uptime; for t in ${tasks}/*; do echo "$(cat $t/schedstat) $(cat $t/comm)"; done`,
  );
  const [uptime, ...rows] = text.trim().split("\n");
  const used: Cpu = { s: Number(uptime?.split(" ")[0]), ioInstructions: 0, instructions: 0 };
  for (const row of rows) {
    const [ns, , , name] = row.split(" ");
    const instructions = Number(ns) / NS_PER_INSTRUCTION;
    used.instructions += instructions;
    if (name === "dahdi-io") used.ioInstructions += instructions;
  }
  return used;
}

function tellCost(what: string, from: Cpu, to: Cpu): void {
  const perLine = (count: number): number => count / (to.s - from.s) / LINES / 1e6;
  const io = perLine(to.ioInstructions - from.ioInstructions);
  measured(`${what}: instructions of the I/O thread, kernel included`, io, "M/s a line");
  measured(`${what}: instructions of the process`, perLine(to.instructions - from.instructions), "M/s a line");
}

test("no block is lost in a minute of four lines talking under HTTP load", async () => {
  const lines = Array.from({ length: LINES }, freshLine);
  const counters = async (): Promise<Record<string, number>> => {
    const total: Record<string, number> = {};
    for (const { url } of lines) {
      const { io } = (await get(`${url}/diagnostics`)).body as { io: Record<string, number> };
      for (const [name, value] of Object.entries(io)) total[name] = (total[name] ?? 0) + Number(value);
    }
    return total;
  };
  await lines[0]?.phone.hookScript("0:2000");
  const idleFrom = await cpu();
  await lines[0]?.phone.hookScript("0:10000");
  tellCost("on-hook", idleFrom, await cpu());

  await Promise.all(lines.map(({ phone }) => phone.lift()));
  const speech = noise(SECONDS * 8000, 11, 4000) as Int16Array<ArrayBuffer>;
  let requests = 0;
  let talking = true;
  const load = async (): Promise<void> => {
    while (talking) {
      await fetch(`${server().rest}/status`);
      requests++;
      await Bun.sleep(REQUEST_PAUSE_MS);
    }
  };
  const before = await counters();
  const from = await cpu();
  const loads = [load(), load()];
  // A tone of ours, and no upload: the guest's clock runs ahead of what comes over the network.
  await Promise.all(
    lines.map(async ({ phone, url, events: eventsUrl }) => {
      using events = await EventListener.open(`${eventsUrl}&types=playback_finished`);
      await post(`${url}/generate-tone`, { frequency: 440, duration: SECONDS * 1000 });
      await phone.speak(speech);
      await events.event("playback_finished", { reason: "completed" }, 300_000);
    }),
  );
  talking = false;
  await Promise.all(loads);
  const to = await cpu();
  const after = await counters();
  const grown = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  tellCost("talking", from, to);
  measured("four lines talking: seconds", to.s - from.s, "s");
  measured("… requests answered meanwhile", requests / (to.s - from.s), "/s");
  for (const name of ["rx_blocks", "tx_blocks", "card_underruns", "card_overruns", "playout_underruns"])
    measured(`… ${name}`, grown(name));
  await Promise.all(lines.map(({ phone }) => phone.hangUp()));
  expect(grown("rx_blocks")).toBeGreaterThan(LINES * 50 * SECONDS * 0.98);
  // DAHDI's own count by BUFFER_EVENTS, and ours.
  expect([grown("card_underruns"), grown("card_overruns"), grown("playout_underruns")]).toEqual([0, 0, 0]);
}, 600_000);

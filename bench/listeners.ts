/**
 * WebSocket clients in a process of their own: `listeners.ts URL CLIENTS`. Prints "ready", and at the end of its
 * standard input {"p50", "p99", "frames"}: the latency in ms from the engine's stamp to a frame's arrival, over all
 * frames of all clients, both on CLOCK_MONOTONIC.
 */
import { DriverEngine } from "../src/driver/engine";
import { loadShim } from "../src/driver/library";

const [, , url, clients] = process.argv;
const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
const latenciesMs: number[] = [];

await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    const socket = new WebSocket(`${url}?types=dtmf&stamp=1`);
    socket.onmessage = ({ data }) => {
      const nowNs = clock.nowNs();
      const { stamp_ns } = JSON.parse(String(data)) as { stamp_ns: number };
      latenciesMs.push((nowNs - stamp_ns) / 1e6);
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
  }),
);
process.stdout.write("ready\n");
for await (const _ of process.stdin) break;
latenciesMs.sort((a, b) => a - b);
const part = (share: number): number | undefined => latenciesMs[Math.floor((latenciesMs.length - 1) * share)];
await Bun.write(Bun.stdout, JSON.stringify({ p50: part(0.5), p99: part(0.99), frames: latenciesMs.length }));
process.exit(0);

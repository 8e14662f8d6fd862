/**
 * WebSocket clients in a process of their own: `listeners.ts URL CLIENTS`. Prints "ready", and at the end of its
 * standard input the latency in ms of every frame of every client: the engine's stamp to the frame's arrival,
 * both on CLOCK_MONOTONIC.
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
process.stdout.write(JSON.stringify(latenciesMs.map((ms) => Math.round(ms * 1000) / 1000)));
process.exit(0);

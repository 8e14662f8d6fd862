/**
 * Well-behaved clients in a process of their own: `readers.ts URL CLIENTS`. Prints "ready"; when each has the event whose
 * id stands on its standard input, {"clients", "ids", "wrong", "latenciesMs"}: the ids that every client got, how many
 * clients did not get exactly those, in order, and what every twentieth frame took from the engine's stamp.
 */
import { DriverEngine } from "../../src/driver/engine";
import { loadShim } from "../../src/driver/library";

const [, , url, count] = process.argv;
const clock = new DriverEngine(await loadShim(), "realtime"); // never started: only its clock is read
const SAMPLED = 20;
/** A busy machine may stand still for long. */
const PATIENCE_MS = 45_000;
const LOOK_MS = 10;
/** A hash of the ids in their order is enough to compare 800 clients over an hour. */
const clients: { hash: number; frames: number; ordered: boolean; last: number }[] = [];
const ids: number[] = [];
const latenciesMs: number[] = [];
let frames = 0;

await Promise.all(
  Array.from({ length: Number(count) }, async (_, index) => {
    const client = { hash: 17, frames: 0, ordered: true, last: 0 };
    clients.push(client);
    const socket = new WebSocket(`${url}?types=dtmf&stamp=1`);
    socket.onmessage = ({ data }) => {
      const text = String(data);
      const nowNs = clock.nowNs();
      const id = Number(/"id":"(\d+)"/.exec(text)?.[1] ?? Number.NaN);
      client.hash = (Math.imul(client.hash, 31) + (id % 1_000_003)) | 0;
      client.frames++;
      client.ordered &&= id > client.last;
      client.last = id;
      if (index === 0) ids.push(id);
      if (++frames % SAMPLED === 0) latenciesMs.push((nowNs - Number(/"stamp_ns":(\d+)/.exec(text)?.[1])) / 1e6);
    };
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
  }),
);
process.stdout.write("ready\n");
const lastId = Number(await new Response(Bun.stdin.stream()).text());
// What never comes is lost, and counted.
for (let waited = 0; waited < PATIENCE_MS && clients.some(({ last }) => last < lastId); waited += LOOK_MS)
  await Bun.sleep(LOOK_MS);
const [first] = clients;
const wrong = clients.filter(
  ({ hash, frames: got, ordered }) => hash !== first?.hash || got !== first.frames || !ordered,
);
const told = JSON.stringify({ clients: clients.length, ids, wrong: wrong.length, latenciesMs });
// A pipe takes 64 KB at a time: not before it has taken all.
process.stdout.write(told, () => process.exit(0));

/**
 * The event log on disk: how many events a second it takes, what each costs the card, and what stays in memory.
 * Bytes are write_bytes of /proc/self/io: what the process made dirty, without the file system's own journal.
 *   bun bench/event_log.ts [--short]      JSON lines and a table; TMPDIR names the disk
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventBus } from "../src/events/bus";
import { createJournal } from "../src/events/create_journal";

const short = process.argv.includes("--short");
const folder = mkdtempSync(join(tmpdir(), "dahdi-bench-log-"));
const bus = new EventBus(null, 10_000);
const journal = createJournal({
  bus,
  folder,
  maxBytes: 64 * 1024 * 1024,
  maxAgeDays: 30,
  threadUrl: new URL("../src/events/log_thread.ts", import.meta.url).href,
  log: { info: console.error, warning: console.error },
});

const writtenBytes = (): number => Number(/^write_bytes: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
const written = async (): Promise<void> => {
  while (journal.status().waiting_events > 0) await Bun.sleep(5);
};
let count = 0;
const publish = (): void => {
  const digit = String(count++ % 10);
  bus.publish(1, Date.now(), 0, { type: "dtmf", digit, duration: 100, signal_level: -10.123456, source: "dtmf" });
};
const figures: [name: string, value: number, unit: string][] = [];
const figure = (name: string, value: number, unit: string): void => {
  figures.push([name, Math.round(value * 100) / 100, unit]);
  console.log(JSON.stringify({ name, value: Math.round(value * 100) / 100, unit }));
};

journal.start();
await bus.begun;
if (journal.status().storage !== "disk") throw new Error(`no disk: ${journal.status().problem}`);

async function paced(name: string, events: number, everyMs: number): Promise<void> {
  const before = writtenBytes();
  for (let i = 0; i < events; i++) {
    publish();
    await Bun.sleep(everyMs);
  }
  await Bun.sleep(1200); // the last of it is forced to the disk
  figure(`${name}: written`, (writtenBytes() - before) / events, "bytes an event");
}
await paced("one event every 2 s", short ? 3 : 20, 2000);
await paced("dialling, 5 events a second", short ? 15 : 100, 200);
await paced("32 lines dialling, 100 events a second", short ? 200 : 1000, 10);

/** As fast as the disk takes them, the loop never held for long. */
const million = short ? 100_000 : 1_000_000;
const beforeMb = residentMb();
const before = writtenBytes();
const startedAt = performance.now();
let longestMs = 0;
for (let done = 0; done < million; ) {
  const burstAt = performance.now();
  for (let i = 0; i < 500 && done < million; i++, done++) publish();
  longestMs = Math.max(longestMs, performance.now() - burstAt);
  await new Promise((resolve) => setImmediate(resolve));
  while (journal.status().waiting_events > 5000) await Bun.sleep(1);
}
await written();
figure("sustained", million / ((performance.now() - startedAt) / 1000), "events/s");
figure("sustained: written", (writtenBytes() - before) / million, "bytes an event");
figure("longest time to publish 500", longestMs, "ms");
figure("kept on disk", (journal.status().used_bytes ?? 0) / 1e6, "MB");
figure("memory before", beforeMb, "MB");
Bun.gc(true);
figure(`memory after ${million.toLocaleString("en")} events`, residentMb(), "MB");
await journal.close();
rmSync(folder, { recursive: true });

console.log();
for (const [name, value, unit] of figures) {
  console.log(`${name.padEnd(48)}${value.toLocaleString("en").padStart(12)}  ${unit}`);
}
process.exit(0);

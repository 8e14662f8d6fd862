/** A process whose log is on a card that fails as it is told (test/support/failing_card.c): folder, how. Prints what it was told. */
import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LogKeeper } from "../../../src/events/log_keeper";
import type { FromLogThread, StoreState } from "../../../src/events/log_messages";
import type { StoredRow } from "../../../src/events/log_pieces";

const [folder = "", how = ""] = process.argv.slice(2);
const control = process.env.FAILING_CARD ?? "";
const told: FromLogThread[] = [];
const timers: (() => void)[] = [];
const log = new LogKeeper((message) => told.push(message), {
  nowMs: () => Date.UTC(2026, 0, 1),
  steadyMs: () => 0,
  after: (_, call) => timers.push(call),
});
log.handle({
  do: "open",
  options: { folder, maxBytes: 1e8, maxAgeMs: 1e12 },
  request: { nowUs: 1e15, inMemory: null },
});
let { position } = (told[0] as { state: StoreState }).state;
const said: string[] = [];
const note = (): void => {
  const last = told.at(-1);
  said.push(last?.told === "failed" ? last.problem : (last?.told ?? ""));
};
const write = (): void => {
  const body = JSON.stringify({ duration: 300, filled: "x".repeat(700) });
  const rows = [1, 2, 3].map((more): StoredRow => [position + more, 1, Date.UTC(2026, 0, 1), "flash", body]);
  log.handle({ do: "write", after: position, rows, gap: null, cursors: [] });
  const last = told.at(-1);
  if (last?.told === "written") position = last.state.position;
  note();
};
const sync = (): void => {
  told.push({ told: "closed" });
  for (const call of timers.splice(0)) call();
  note();
};
const wal = join(folder, "events.db-wal");
const walBytes = (): number => readFileSync(wal).length;
const salt = (): string => readFileSync(wal).subarray(0, 32).toString("hex");

write();
sync();
const [syncedBytes, saltThen] = [walBytes(), salt()];
writeFileSync(control, how);
write();
sync();
const doubtfulBytes = walBytes();
rmSync(control);
write();
write();
sync();
console.log(JSON.stringify({ said, position }));
// The power goes. What a failed sync was about is not on the card, where nobody wrote it again.
if (how === "sync" && salt() === saltThen) {
  const file = openSync(wal, "r+");
  if (fstatSync(file).size >= doubtfulBytes) {
    writeSync(file, Buffer.alloc(doubtfulBytes - syncedBytes), 0, doubtfulBytes - syncedBytes, syncedBytes);
  }
  closeSync(file);
}
process.kill(process.pid, "SIGKILL");

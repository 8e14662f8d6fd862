/**
 * A crowd on the event WebSocket: most read, some never do, some drop all at once, again and again, while every line
 * dials. Those who read must get every event, in order, as if the others were not there.
 */
import { join } from "node:path";
import { get, type Json, simulatedTelephone } from "../../test/support/client";
import { eventually, type RunningServer } from "../../test/support/server";
import { type Figures, grownMb, percentile } from "../figures";
import { openRaw, type RawSocket } from "./raw_socket";

export interface CrowdSize {
  readers: number;
  /** They connect and never read. */
  deaf: number;
  /** They connect, and drop together once a second. */
  droppers: number;
  seconds: number;
}

const LINES = [1, 2];
const PAGE = 1000;

async function loggedIds(server: RunningServer, since: string): Promise<number[]> {
  const ids: number[] = [];
  for (let next = since; ; ) {
    const { body } = await get(`${server.rest}/events?since=${next}&types=dtmf&limit=${PAGE}`);
    const events = body.events as Json[];
    ids.push(...events.map(({ id }) => Number(id)));
    if (body.next === next) return ids;
    next = String(body.next);
  }
}

/** What the readers saw once each has the event with this id: over when it is called. */
async function readers(server: { websocket: string }, count: number) {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "readers.ts"), server.websocket, String(count)],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const reader = child.stdout.getReader();
  await reader.read(); // "ready"
  return async (lastId = 0) => {
    child.stdin.write(String(lastId));
    child.stdin.end();
    let text = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read())
      text += new TextDecoder().decode(piece.value);
    return JSON.parse(text) as { clients: number; ids: number[]; wrong: number; latenciesMs: number[] };
  };
}

export async function crowd(server: RunningServer, figures: Figures, size: CrowdSize): Promise<void> {
  for (const line of LINES) await simulatedTelephone(server, line).lift();
  const finish = await readers(server, size.readers);
  const deaf: RawSocket[] = [];
  for (let i = 0; i < size.deaf; i++) deaf.push(await openRaw(server.websocket));
  const since = ((await get(`${server.rest}/ready`)).body.event_log as { newest_id: string }).newest_id;
  const memoryMb: number[] = [];
  const until = performance.now() + size.seconds * 1000;
  let drops = 0;
  const dialling = LINES.map(async (line) => {
    const phone = simulatedTelephone(server, line);
    while (performance.now() < until) await phone.press("0123456789", { on_ms: 50, off_ms: 50 });
  });
  const dropping = (async () => {
    while (performance.now() < until && size.droppers > 0) {
      const all = await Promise.all(Array.from({ length: size.droppers }, () => openRaw(server.websocket)));
      await Bun.sleep(1000);
      for (const each of all) each.drop();
      await Promise.all(all.map(({ gone }) => gone));
      drops += all.length;
      memoryMb.push(await server.residentMb());
    }
  })();
  await Promise.all([...dialling, dropping]);
  memoryMb.push(await server.residentMb());
  const clientsLeft = async (): Promise<number> => {
    const text = await (await fetch(`${server.rest}/metrics`)).text();
    return Number(/^dahdi_phone_websocket_clients (\d+)/m.exec(text)?.[1]);
  };
  // Those who dropped are forgotten, before the others go as well.
  await eventually(clientsLeft, (clients) => clients <= size.readers + size.deaf);
  const logged = await loggedIds(server, since);
  const seen = await finish(logged.at(-1));
  for (const each of deaf) each.drop();
  await eventually(clientsLeft, (clients) => clients === 0);
  for (const line of LINES) await simulatedTelephone(server, line).hangUp();

  // A reader connected before `since` was asked for; what came earlier it may have seen as well.
  const from = logged[0] ?? 0;
  const got = new Set(seen.ids.filter((id) => id >= from));
  const { readers: reading } = size;
  figures.add(`crowd: events told to each of ${reading} readers`, got.size, "events");
  figures.add("crowd: events that a reader lost", logged.filter((id) => !got.has(id)).length, "events", "0");
  figures.add("crowd: readers that saw another order or number", seen.wrong, "clients", "0");
  figures.add(`crowd: dropped at once, ${size.droppers} at a time`, drops, "clients");
  figures.add("crowd: event to frame, p50", percentile(seen.latenciesMs, 0.5), "ms");
  figures.add("crowd: event to frame, p99", percentile(seen.latenciesMs, 0.99), "ms", "<= 10");
  figures.add("crowd: memory, grown from the first third to the last", grownMb(memoryMb), "MB", "<= 20");
  figures.add("crowd: memory, at most", Math.max(...memoryMb), "MB");
}

/** The least that any server takes here: a bare Bun.serve that sends the same readers a frame every 50 ms. */
export async function bareCrowd(figures: Figures, count: number, seconds: number): Promise<void> {
  const peer = Bun.spawn([process.execPath, join(import.meta.dir, "../bare_socket.ts")], { stdout: "pipe" });
  const { value } = await peer.stdout.getReader().read();
  const finish = await readers({ websocket: new TextDecoder().decode(value).trim() }, count);
  await Bun.sleep(seconds * 1000);
  const { latenciesMs } = await finish();
  peer.kill();
  await peer.exited;
  figures.add(
    `bare Bun.serve, ${count} readers and no one else: send to frame, p50`,
    percentile(latenciesMs, 0.5),
    "ms",
  );
  figures.add(
    `bare Bun.serve, ${count} readers and no one else: send to frame, p99`,
    percentile(latenciesMs, 0.99),
    "ms",
  );
}

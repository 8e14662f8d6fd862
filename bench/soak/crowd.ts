/**
 * A crowd on the event WebSocket: most read, some never do, some drop all at once, again and again, while every line
 * dials. Those who read must get every event, in order, as if the others were not there.
 */
import { get, type Json, simulatedTelephone } from "../../test/support/client";
import { eventually, type RunningServer } from "../../test/support/server";
import { barePeer } from "../bare_peer";
import { type Figures, grownMb } from "../figures";
import { openRaw, type RawSocket } from "./raw_socket";
import { readers, type Seen } from "./ws_readers";

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

/** A frame's arrival is what the kernel says; where it says nothing, the name of the figure does. */
const by = ({ clock }: Seen): string => (clock === "kernel" ? "" : ` (stamped by ${clock})`);

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

/** Returns the p99 of all readers, ms. */
export async function crowd(server: RunningServer, figures: Figures, size: CrowdSize): Promise<number> {
  for (const line of LINES) await simulatedTelephone(server, line).lift();
  const { finish } = await readers(server.websocket, size.readers);
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

  const got = new Set(seen.ids);
  const unheard = logged.filter((id) => !got.has(id)).length;
  figures.add(`crowd: events told to each of ${size.readers} readers`, got.size, "events");
  figures.add("crowd: events that a reader lost", seen.lost + unheard * size.readers, "events", "0");
  figures.add("crowd: readers that saw another order or number", seen.wrong, "clients", "0");
  figures.add(`crowd: dropped at once, ${size.droppers} at a time`, drops, "clients");
  figures.add(`crowd: event to frame${by(seen)}, p50`, seen.p50Ms, "ms");
  figures.add(`crowd: event to frame${by(seen)}, p99`, seen.p99Ms, "ms", "<= 10");
  figures.add("crowd: memory, grown from the first third to the last", grownMb(memoryMb), "MB", "<= 20");
  figures.add("crowd: memory, at most", Math.max(...memoryMb), "MB");
  return seen.p99Ms;
}

/**
 * The least that any server takes here: a bare Bun.serve that sends as many clients the same frames, two in one write because
 * two lines dial at once. Nobody comes or goes. Where it takes the time that is our bar, a faster machine has to be asked.
 */
export async function bareCrowd(figures: Figures, size: CrowdSize, p99Ms: number): Promise<void> {
  const peer = await barePeer(LINES.length);
  const { finish } = await readers(peer.websocket, size.readers);
  const deaf: RawSocket[] = [];
  for (let i = 0; i < size.deaf + size.droppers; i++) deaf.push(await openRaw(peer.websocket));
  peer.begin();
  await Bun.sleep(size.seconds * 1000);
  const seen = await finish();
  for (const each of deaf) each.drop();
  await peer.stop();
  const name = `bare Bun.serve, as many clients: send to frame${by(seen)}`;
  figures.add(`${name}, p50`, seen.p50Ms, "ms");
  figures.add(`${name}, p99`, seen.p99Ms, "ms");
  figures.add("crowd: p99 over the bare Bun.serve's", p99Ms / seen.p99Ms, "", "<= 1.5");
}

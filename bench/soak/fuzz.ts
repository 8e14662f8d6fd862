/** Nonsense by the hundred thousand: no request may be answered by a defect, no frame may harm anybody else. */
import { EventListener, get, type Json, post, simulatedTelephone } from "../../test/support/client";
import type { RunningServer } from "../../test/support/server";
import { type Figures, grownMb } from "../figures";
import { type OpenApi, PROBLEM, type Random, randomFrom, requestMaker } from "./openapi_fuzz";
import { openRaw } from "./raw_socket";

const AT_ONCE = 16;
const REQUEST_LIMIT_MS = 60_000;
const SETTLE_MS = 2000;
const LOOK_EVERY_MS = 250;
/** A token's name that is not made up. */
const KEEPER = "keeper-of-the-fuzz";

/** They answer when a telephone has done something, or never: fuzzed they would only wait; or write into our own file. */
const leftOut = (operation: string): boolean => /\/events\/stream|\/ws$|\/audio$|^PATCH \/config$/.test(operation);

export async function fuzzRequests(
  server: RunningServer,
  figures: Figures,
  count: number,
  seed: number,
): Promise<void> {
  const random = randomFrom(seed);
  const api = (await get(`${server.rest}/openapi.json`)).body as unknown as OpenApi;
  const make = requestMaker(api, random, leftOut);
  // The first token that is made up would shut out every request after it.
  const { token } = (await post(`${server.rest}/tokens`, { name: KEEPER, scope: "admin" })).body;
  const asAdmin = { authorization: `Bearer ${token}` };
  const statuses = new Map<number, number>();
  const defects: string[] = [];
  const ask = async (): Promise<void> => {
    const { method, path, headers: made, body, promised, operation } = make();
    const headers = random() < 0.95 ? { ...made, ...asAdmin } : made;
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const said = `seed ${seed}: ${method} ${path} ${JSON.stringify(headers)} ${typeof body === "string" ? body.slice(0, 200) : ""}`;
    try {
      const withBody = method === "GET" || body === null ? {} : { body };
      const response = await fetch(server.rest + path, {
        method,
        headers,
        signal,
        redirect: "manual",
        ...withBody,
      });
      const answer = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const type = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
      const media = promised.get(response.status);
      const told = media?.length === 0 || media?.includes(type) || media?.includes("audio/wav");
      if (response.status === 500 || !told) defects.push(`${response.status} ${type} ${said}`);
      else if (type === PROBLEM) {
        const { status, code, detail } = JSON.parse(answer) as Json;
        if (status !== response.status || typeof code !== "string" || typeof detail !== "string")
          defects.push(`${response.status} without its problem: ${said}`);
      }
    } catch (error) {
      // What waits for a telephone that nobody moves is no defect.
      if (!/wait|gather|announce/.test(operation + path)) defects.push(`${String(error)} ${said}`);
    }
  };
  let left = count;
  // The last of them may find no server any more.
  const quiet = setInterval(() => void hush(server, asAdmin).catch(() => undefined), 500);
  const run = async (): Promise<void> => {
    while (left-- > 0 && defects.length < 20) await ask();
  };
  // The first half brings every schema and the allocator to what 16 uploads at once need: memory is looked at from there.
  left = Math.ceil(count / 2);
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  const memoryMb: number[] = [];
  const looking = setInterval(async () => memoryMb.push(await server.residentMb()), LOOK_EVERY_MS);
  left = count - Math.ceil(count / 2);
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  clearInterval(looking);
  clearInterval(quiet);
  await hush(server, asAdmin);
  for (const defect of defects) console.log(`    ${defect}`);
  const total = [...statuses.values()].reduce((sum, each) => sum + each, 0);
  figures.add("fuzz: requests answered", total, "requests");
  figures.add("fuzz: refused", total - (statuses.get(200) ?? 0), "requests");
  // Every answer is one of a schema or of a token: too many of the latter, and nothing was tried.
  figures.add("fuzz: of them for want of a token", (100 * (statuses.get(401) ?? 0)) / total, "%", "<= 10");
  figures.add("fuzz: defects (500, an undocumented 5xx, no problem+json, no answer)", defects.length, "", "0");
  figures.add("fuzz: memory, grown over the second half", grownMb(memoryMb), "MB", "<= 20");
}

/** Playbacks, rings and recordings that fuzzing began and that would only pile up. */
async function hush(server: RunningServer, asAdmin: Record<string, string>): Promise<void> {
  for (const line of [1, 2, 3, 4]) {
    for (const verb of ["stop-ring", "record/stop"])
      await post(`${server.rest}/lines/${line}/${verb}`, undefined, asAdmin);
    for (const verb of ["hang-up", "plug"])
      await post(`${server.rest}/simulator/lines/${line}/${verb}`, undefined, asAdmin);
  }
}

async function settledMb(server: RunningServer): Promise<number> {
  await Bun.sleep(SETTLE_MS);
  return await server.residentMb();
}

/** One frame as RFC 6455 lays it out, or nearly. */
function frame(random: Random): Buffer {
  const length = random() < 0.8 ? Math.floor(random() * 130) : Math.floor(random() * 70_000);
  const payload = Buffer.from(Uint8Array.from({ length: Math.min(length, 2000) }, () => random() * 256));
  const opcode = random() < 0.7 ? (random() < 0.5 ? 1 : 2) : Math.floor(random() * 16);
  const first = (random() < 0.9 ? 0x80 : 0) | (random() < 0.05 ? 0x70 : 0) | opcode;
  const masked = random() < 0.95 ? 0x80 : 0;
  const told = random() < 0.95 ? payload.length : Math.floor(random() * 2 ** 20);
  const header =
    told < 126
      ? Buffer.from([first, masked | told])
      : told < 65_536
        ? Buffer.from([first, masked | 126, told >> 8, told & 255])
        : Buffer.from([
            first,
            masked | 127,
            0,
            0,
            0,
            0,
            told >>> 24,
            (told >> 16) & 255,
            (told >> 8) & 255,
            told & 255,
          ]);
  return Buffer.concat([header, ...(masked ? [Buffer.alloc(4)] : []), payload]);
}

export async function fuzzFrames(
  server: RunningServer,
  figures: Figures,
  count: number,
  seed: number,
): Promise<void> {
  const random = randomFrom(seed);
  const before = await settledMb(server);
  const watching = await EventListener.open(`${server.websocket}?types=off_hook,on_hook`);
  let sent = 0;
  let connections = 0;
  const client = async (): Promise<void> => {
    while (sent < count) {
      const raw = await openRaw(server.websocket);
      connections++;
      raw.socket.resume();
      let open = true;
      void raw.gone.then(() => {
        open = false;
      });
      raw.socket.on("error", () => undefined); // the server may well hang up on it
      for (let i = 0; i < 90 && open && sent < count; i++) {
        sent++;
        if (!raw.socket.write(frame(random)))
          await Promise.race([raw.gone, new Promise((go) => raw.socket.once("drain", go))]);
      }
      raw.drop();
      await raw.gone;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  const telephone = simulatedTelephone(server, 1);
  await telephone.lift();
  await watching.event("off_hook");
  await telephone.hangUp();
  await watching.event("on_hook");
  watching[Symbol.dispose]();
  figures.add("fuzz: WebSocket frames", sent, "frames");
  figures.add("fuzz: connections that sent them", connections, "");
  figures.add(
    "fuzz: alive and telling events afterwards",
    Number((await get(`${server.rest}/health`)).status === 200),
    "",
    "1",
  );
  figures.add("fuzz: memory, grown by frames", (await settledMb(server)) - before, "MB", "<= 20");
}

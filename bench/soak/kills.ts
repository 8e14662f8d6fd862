/**
 * kill -9 at random moments, in one state folder: what was acknowledged as written must be there afterwards, in
 * order, doubt must be told, and the file must be sound.
 */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, type Json, post, simulatedTelephone } from "../../test/support/client";
import { type RunningServer, startServer } from "../../test/support/server";
import type { Figures } from "../figures";
import { randomFrom } from "./openapi_fuzz";

export interface KillsOptions {
  /** Omitted: as test/support/server.ts has it. */
  command?: string[];
  rounds: number;
  figures: Figures;
  seed: number;
}

/** Long enough for several batches of the log, which are written every 100 ms. */
const LONGEST_LIFE_MS = 400;
const PAGE = 1000;

export async function kills({ command, rounds, figures, seed }: KillsOptions): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), "dahdi-kills-"));
  const random = randomFrom(seed);
  const start = (): Promise<RunningServer> =>
    startServer({ ...(command ? { command } : {}), arguments: ["--simulate=2"], stateDir });
  const durable = new Map<string, Json>();
  try {
    for (let round = 0; round < rounds; round++) await oneLife(await start(), random() * LONGEST_LIFE_MS, durable);
    const server = await start();
    const ringing = ((await get(`${server.rest}/simulator/lines/1`)).body.bell as Json).ringing;
    const kept = await everything(server);
    using replayed = await EventListener.open(`${server.websocket}?since=0`);
    await replayed.event("caught_up");
    await server.stop();
    const missing = [...durable].filter(([id, frame]) => !Bun.deepEquals(kept.get(id), frame));
    const ids = [...kept.keys()].map(Number);
    const database = new Database(join(stateDir, "events.db"), { readonly: true });
    const [[sound] = []] = database.query("PRAGMA integrity_check").values();
    database.close();
    figures.add("kill -9: at random moments", rounds, "times");
    figures.add("kill -9: events acknowledged as written", durable.size, "events", ">= 20");
    figures.add("kill -9: of those lost or changed", missing.length, "events", "0");
    figures.add("kill -9: out of order", ids.filter((id, i) => id <= (ids[i - 1] ?? 0)).length, "events", "0");
    const gaps = replayed.types().filter((type) => type === "gap").length;
    figures.add(
      "kill -9: ends of which the log tells that something may be missing",
      gaps,
      "gaps",
      String(rounds),
    );
    figures.add("kill -9: the log's file is sound", Number(sound === "ok"), "", "1");
    figures.add("kill -9: telephones that ring afterwards", Number(ringing), "", "0");
  } finally {
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/** Dials and rings until it is killed; what /ready says is on the disk goes into `durable`. */
async function oneLife(server: RunningServer, lifeMs: number, durable: Map<string, Json>): Promise<void> {
  const listener = await EventListener.open(server.websocket);
  const phone = simulatedTelephone(server, 2);
  let alive = true;
  const hand = (async () => {
    await post(`${server.rest}/lines/1/ring`, { pattern: "CONTINUOUS" });
    await phone.lift();
    while (alive) await phone.press("0123456789", { on_ms: 45, off_ms: 45 });
  })().catch(() => undefined);
  const watch = (async () => {
    while (alive) {
      const { event_log } = (await get(`${server.rest}/ready`)).body;
      const { newest_id, waiting_events } = event_log as { newest_id: string; waiting_events: number };
      if (waiting_events > 0) continue;
      for (const frame of listener.frames) {
        if (Number(frame.id) <= Number(newest_id)) durable.set(String(frame.id), frame);
      }
    }
  })().catch(() => undefined);
  await listener.event("dtmf");
  await Bun.sleep(lifeMs);
  await server.stop("SIGKILL");
  alive = false;
  await Promise.all([hand, watch]);
  listener[Symbol.dispose]();
}

async function everything(server: RunningServer): Promise<Map<string, Json>> {
  const kept = new Map<string, Json>();
  for (let next = "0"; ; ) {
    const { body } = await get(`${server.rest}/events?since=${next}&limit=${PAGE}`);
    for (const event of body.events as Json[]) kept.set(String(event.id), event);
    if (body.next === next) return kept;
    next = String(body.next);
  }
}

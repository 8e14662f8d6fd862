/** A telephone whose calls are recorded into a folder of the test's own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordRequest } from "../../../src/exchange/verbs";
import { type RecordingFolder, soundOf } from "../../support/recordings";
import { eventually } from "../../support/server";
import { type Stepped, stepped } from "../../support/stepped";

export const KEYS = { onMs: 100, offMs: 100, levelDbm0: -10, twistDb: 0 };
/** Nothing on the line but what is said: then the recording is that, bit for bit, after the card's companding. */
export const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000 } as const;
export const NO_COMPANDING = { ...CLEAN, SimCompanding: 0 } as const;

export const ended = (phone: Stepped, line = 1) =>
  phone.told.flatMap(({ line: of, body }) => (of === line && body.type === "recording_finished" ? [body] : []));

export const soundFile = (kept: RecordingFolder, id: string) =>
  soundOf(new Uint8Array(readFileSync(join(kept.folder, `${id}.wav`))));

/** Waits for the end by the telephone's clock, and then for the disk, which has one of its own. */
export async function finished(phone: Stepped, limitMs = 60_000) {
  for (let spent = 0; ended(phone).length === 0 && spent <= limitMs; spent += 100) {
    await phone.advance(100);
    await Bun.sleep(1);
  }
  await eventually(
    () => phone.types(),
    () => ended(phone).length > 0,
  );
  return ended(phone)[0] as ReturnType<typeof ended>[number];
}

export async function lifted(kept: RecordingFolder, options: Parameters<typeof stepped>[0] = {}) {
  const phone = await stepped({ engine: CLEAN, recordings: kept.store, ...options });
  await phone.until(phone.handsets.lift(1));
  await phone.advance(300);
  return phone;
}

export const record = async (phone: Stepped, request: Omit<RecordRequest, "when"> & { when?: "off_hook" } = {}) =>
  (await phone.exchange.record(1, { when: "now", ...request })).recordingId;

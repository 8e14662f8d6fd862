/** The short form of `make soak`, against the executable: nothing lost, nobody harmed. Times are make soak's business. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Figures } from "../../bench/figures";
import { crowd } from "../../bench/soak/crowd";
import { fuzzFrames, fuzzRequests } from "../../bench/soak/fuzz";
import { ROOT, type RunningServer, startServer } from "../support/server";

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
/** Another one each day, the same all day: what CI found can be found again. */
const SEED = Math.floor(Date.now() / 86_400_000);

const start = (): Promise<RunningServer> => startServer({ command: [EXECUTABLE], arguments: ["--simulate=4"] });
const wrong = ({ missed }: Figures): string[] =>
  missed.filter(({ unit }) => unit !== "ms").map(({ name }) => name);

describe("make soak, in short", () => {
  test("a crowd of which some never read and some drop at once: the others get every event", async () => {
    await using server = await start();
    const figures = new Figures();
    await crowd(server, figures, { readers: 80, deaf: 10, droppers: 10, seconds: 5 });
    expect(wrong(figures)).toEqual([]);
  }, 120_000);

  test(`3,000 requests made up from the OpenAPI text, seed ${SEED}: no defect`, async () => {
    await using server = await start();
    const figures = new Figures();
    await fuzzRequests(server, figures, 3000, SEED);
    // A server's first thousands of requests fill its caches: how much is make soak's to judge.
    expect(wrong(figures).filter((name) => !name.includes("memory"))).toEqual([]);
  }, 180_000);

  test(`5,000 WebSocket frames of nonsense, seed ${SEED}: alive, and telling events`, async () => {
    await using server = await start();
    const figures = new Figures();
    await fuzzFrames(server, figures, 5000, SEED);
    expect(wrong(figures)).toEqual([]);
  }, 120_000);
});

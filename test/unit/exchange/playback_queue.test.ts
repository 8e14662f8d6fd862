/** Playbacks one after another, over one another, and barged in upon. */
import { describe, expect, test } from "bun:test";
import type { Playback } from "../../../src/exchange/playback";
import { Refusal } from "../../../src/exchange/verbs";
import { refusal } from "../../support/refusal";
import { seeded } from "../../support/sound_files";
import { find, noise, pcmSource, type Stepped } from "../../support/stepped";
import { heard, lifted } from "./listening_telephone";

describe("the queue", () => {
  test("is replaced at once: all that plays and waits goes, with its reason", async () => {
    using line = await lifted();
    const first = line.play(noise(80_000, 1));
    const second = line.play(noise(80_000, 2));
    await line.phone.advance(500);
    const sound = noise(4000, 9);
    const third = line.play(sound, { mode: "replace" });
    expect((await line.phone.until(first.finished)).reason).toBe("replaced");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "replaced", heardMs: 0 });
    expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(60);
    const at = find(line.phone.handsets.ear(1, 5), sound);
    expect(at).toBeGreaterThan(-1);
    expect(line.phone.types().filter((type) => type.startsWith("playback"))).toEqual([
      "playback_started",
      "playback_finished:replaced",
      "playback_started",
      "playback_finished:completed",
    ]);
  });

  test("a refused replacement changes nothing", async () => {
    using line = await lifted();
    const playing = line.play(noise(8000));
    const refused = () => line.play(noise(800), { mode: "replace", gainDb: 99 });
    expect(await refusal(refused)).toBe("invalid_input");
    expect((await line.phone.until(playing.finished)).reason).toBe("completed");
  });

  test("one that is stopped leaves those behind it whole", async () => {
    using line = await lifted();
    const first = line.play(noise(40_000, 1));
    const sound = noise(4000, 2);
    const second = line.play(sound);
    await line.phone.advance(500);
    const stopped = await line.phone.until(line.playbacks.stop(first.playbackId));
    expect(stopped.reason).toBe("stopped");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 5), sound)).toBeGreaterThan(-1);
  });

  test("one that waits in the ring can be taken out: what plays and what is behind it follow without a seam", async () => {
    using line = await lifted();
    const sounds = Array.from({ length: 5 }, (_, i) => noise(4001, i + 1));
    const [first, second, third, fourth, fifth] = sounds.map((sound) => line.play(sound)) as Playback[];
    await line.phone.advance(300);
    for (const out of [fourth, second] as Playback[]) {
      expect(await line.phone.until(line.playbacks.stop(out.playbackId))).toMatchObject({ heardMs: 0 });
    }
    for (const stays of [first, third, fifth] as Playback[]) {
      expect(await line.phone.until(stays.finished)).toEqual({ reason: "completed", heardMs: 500 });
    }
    await line.phone.advance(60);
    const stayed = [0, 2, 4].flatMap((i) => [...(sounds[i] as Int16Array)]);
    expect(find(line.phone.handsets.ear(1, 5), Int16Array.from(stayed))).toBeGreaterThan(-1);
    const started = line.phone.told.filter(({ body }) => body.type === "playback_started");
    expect(started.map(({ atMs }) => Math.round(atMs - (started[0]?.atMs ?? 0)))).toEqual([0, 500, 1000]);
    expect(line.phone.exchange.diagnostics(1).io.playout_underruns).toBe(0);
  });

  test("stopped just when its turn comes, it ends, and what is behind it is heard", async () => {
    for (let ms = 440; ms <= 560; ms += 10) {
      using line = await lifted();
      line.play(noise(4000, 1));
      const second = line.play(noise(8000, 2));
      const sound = noise(2000, 3);
      const third = line.play(sound);
      await line.phone.advance(ms);
      expect((await line.phone.until(line.playbacks.stop(second.playbackId))).heardMs).toBeLessThanOrEqual(
        ms - 400,
      );
      expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 250 });
      await line.phone.advance(60);
      expect(find(line.phone.handsets.ear(1, 3), sound)).toBeGreaterThan(-1);
    }
  });

  test("a queue whose ring is full of what was taken out plays on", async () => {
    using line = await lifted();
    line.play(noise(4000, 1));
    const long = line.play(noise(200_000, 2));
    await line.phone.advance(100);
    await line.phone.until(line.playbacks.stop(long.playbackId));
    const sound = noise(100_000, 3);
    expect((await line.phone.until(line.play(sound).finished)).reason).toBe("completed");
    await line.phone.advance(60);
    expect(find(line.phone.handsets.ear(1, 16), sound)).toBeGreaterThan(-1);
  });

  test("is listed: what plays, what waits, what ended last; the oldest are forgotten", async () => {
    using line = await lifted();
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) {
      const playback = line.play(noise(160, i + 1));
      ids.push(playback.playbackId);
      await line.phone.until(playback.finished);
    }
    const playing = line.play(noise(8000));
    const waiting = line.play(noise(8000));
    await line.phone.advance(300);
    const listed = line.playbacks.list(1);
    expect(listed.map(({ state }) => state)).toEqual(["playing", "waiting", ...Array(32).fill("finished")]);
    expect(listed.slice(0, 3).map(({ playbackId }) => playbackId)).toEqual([
      playing.playbackId,
      waiting.playbackId,
      ids[39] as string,
    ]);
    expect(Math.abs((listed[0]?.positionMs ?? 0) - 300)).toBeLessThanOrEqual(60);
    expect(await refusal(() => line.playbacks.find(ids[0] as string))).toBe("unknown_playback");
    expect(await refusal(() => line.playbacks.stop(ids[39] as string))).toBe("playback_finished");
    expect(await refusal(() => line.playbacks.list(9))).toBe("unknown_line");
  });

  test("and all over it stops together; a line that plays nothing is stopped as well", async () => {
    using line = await lifted();
    line.play(noise(80_000, 1));
    line.play(noise(80_000, 2));
    line.play(noise(80_000, 3), { mode: "mix" });
    await line.phone.advance(200);
    const stopped = await line.phone.until(line.playbacks.stopAll(1));
    expect(stopped.map(({ reason }) => reason)).toEqual(["stopped", "stopped", "stopped"]);
    expect(await line.phone.until(line.playbacks.stopAll(1))).toEqual([]);
    await line.phone.advance(100);
    const before = heard(line.phone).length;
    await line.phone.advance(500);
    expect(heard(line.phone).length).toBe(before);
  });
});

describe("over it", () => {
  test("up to three sounds are mixed in, each with an end of its own; a fourth is refused", async () => {
    using line = await lifted();
    const under = noise(16_000, 1, 4000);
    const over = noise(4000, 2, 4000);
    const first = line.play(under);
    await line.phone.advance(500);
    const second = line.play(over, { mode: "mix" });
    for (let i = 0; i < 2; i++) line.play(new Int16Array(80_000), { mode: "mix" });
    expect(await refusal(() => line.play(over, { mode: "mix" }))).toBe("queue_full");
    expect(await line.phone.until(second.finished)).toEqual({ reason: "completed", heardMs: 500 });
    expect(await line.phone.until(first.finished)).toEqual({ reason: "completed", heardMs: 2000 });
    await line.phone.until(line.playbacks.stopAll(1));
    await line.phone.advance(60);
    const ear = line.phone.handsets.ear(1, 5);
    const at = find(ear, under.slice(0, 2000));
    expect(at).toBeGreaterThan(-1);
    const rest = under.map((sample, i) => (ear[at + i] as number) - sample);
    expect(find(rest, over)).toBeGreaterThan(-1);
  });
});

describe("barge-in", () => {
  const press = (phone: Stepped): Promise<void> =>
    phone.handsets.press(1, { digits: "5", onMs: 100, offMs: 60, levelDbm0: -10, twistDb: 0 });

  test("by a key ends it and what may be barged in behind it; the rest is heard whole", async () => {
    using line = await lifted();
    const first = line.play(noise(80_000, 1), { bargeIn: "dtmf" });
    const second = line.play(noise(80_000, 2), { bargeIn: "any" });
    const notice = noise(4000, 3);
    const third = line.play(notice);
    await line.phone.advance(500);
    await line.phone.until(press(line.phone));
    const end = await line.phone.until(first.finished);
    expect(end).toMatchObject({ reason: "barged", bargedBy: "dtmf" });
    expect(Math.abs(end.heardMs - 550)).toBeLessThanOrEqual(80);
    expect(await line.phone.until(second.finished)).toEqual({ reason: "barged", heardMs: 0, bargedBy: "dtmf" });
    expect(await line.phone.until(third.finished)).toEqual({ reason: "completed", heardMs: 500 });
    await line.phone.advance(200);
    expect(find(line.phone.handsets.ear(1, 5), notice)).toBeGreaterThan(-1);
    expect(
      line.phone.told.flatMap(({ body }) => (body.type === "playback_finished" ? [body] : []))[0],
    ).toMatchObject({
      reason: "barged",
      barged_by: "dtmf",
    });
    expect(line.phone.exchange.status(1).lastDtmf).toBe("5");
  });

  test("by a voice; a key does nothing to what only a voice may end", async () => {
    using line = await lifted();
    const playback = line.play(noise(80_000, 1, 1500), { bargeIn: "voice" });
    await line.phone.advance(500);
    await line.phone.until(press(line.phone));
    await line.phone.advance(300);
    expect(line.playbacks.find(playback.playbackId).state).toBe("playing");
    await line.phone.until(line.phone.handsets.speak(1, pcmSource(noise(8000, 3, 12_000))));
    expect(await line.phone.until(playback.finished)).toMatchObject({ reason: "barged", bargedBy: "voice" });
  });

  test("not where it was not asked for", async () => {
    using line = await lifted();
    const playback = line.play(noise(16_000, 1, 1500));
    await line.phone.until(press(line.phone));
    expect(await line.phone.until(playback.finished)).toEqual({ reason: "completed", heardMs: 2000 });
  });
});

describe("whatever is asked of it", () => {
  test.each([1, 2, 3, 4, 5, 6])(
    "each playback ends once, each start has its end, and the line plays on (%d)",
    async (seed) => {
      using line = await lifted();
      const { phone, playbacks } = line;
      const random = seeded(seed);
      const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
      const all: Playback[] = [];
      let hookIsOff = true;
      for (let i = 0; i < 300; i++) {
        const { playbackId } = all.length > 0 ? pick(all.slice(-6)) : { playbackId: "" };
        const act = pick([
          () => {
            const options = {
              mode: pick(["queue", "queue", "queue", "replace", "mix"] as const),
              gainDb: pick([0, 0, 6]),
              bargeIn: pick(["none", "none", "any"] as const),
              when: pick(["now", "off_hook"] as const),
            };
            all.push(line.play(noise(Math.floor(random() * 12_000), i + 1), options));
          },
          () => playbacks.pause(playbackId),
          () => playbacks.resume(playbackId),
          () => playbacks.seek(playbackId, random() * 1500),
          () => playbacks.stop(playbackId),
          () => (random() < 0.2 ? playbacks.stopAll(1) : undefined),
          () =>
            random() < 0.2
              ? phone.handsets.press(1, { digits: "1", onMs: 60, offMs: 60, levelDbm0: -8, twistDb: 0 })
              : undefined,
          () => {
            if (random() > 0.1) return undefined;
            hookIsOff = !hookIsOff;
            return hookIsOff ? phone.handsets.lift(1) : phone.handsets.hangUp(1);
          },
        ]);
        const asked = (async () => act())().catch((error: unknown) => {
          if (!(error instanceof Refusal)) throw error;
        });
        await (random() < 0.5 ? phone.until(asked) : phone.advance(20));
        await phone.advance(Math.floor(random() * 10) * 20);
      }
      if (!hookIsOff) await phone.until(phone.handsets.lift(1));
      await phone.until(playbacks.stopAll(1));
      for (const { finished } of all) await phone.until(finished, 100);
      expect(playbacks.list(1).every(({ state }) => state === "finished")).toBe(true);
      const open = new Set<string>();
      for (const { body } of phone.told) {
        if (body.type === "playback_started") open.add(body.playback_id);
        if (body.type === "playback_finished") expect(open.delete(body.playback_id)).toBe(true);
      }
      expect([...open]).toEqual([]);
      const sound = noise(9000, 999);
      expect(await phone.until(line.play(sound).finished)).toEqual({ reason: "completed", heardMs: 1125 });
      await phone.advance(60);
      expect(find(phone.handsets.ear(1, 5), sound)).toBeGreaterThan(-1);
    },
  );
});

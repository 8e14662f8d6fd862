import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeptSource } from "../../../src/audio/kept_source";
import { loadShim } from "../../../src/driver/library";
import { compare, compareRefusals, type Pair } from "../../../src/flight/compare";
import { readRecording } from "../../../src/flight/read_recording";
import type { FlightRecording } from "../../../src/flight/recording";
import { replay } from "../../../src/flight/replay";
import { isDifferent, textReport } from "../../../src/flight/report";
import { RecordingStore } from "../../../src/recordings/store";
import { noise, pcmSource, type Stepped, sine, stepped } from "../../support/stepped";

const KEYS = { onMs: 90, offMs: 90, levelDbm0: -12, twistDb: 0 };

const recordingOf = (phone: Stepped, options: { sound?: boolean; masked?: boolean } = {}): FlightRecording => {
  const text = [...phone.flight.dump({ reason: "test", sound: false, masked: false, ...options })].join("");
  return readRecording(new TextEncoder().encode(text));
};

async function replayed(recording: FlightRecording): Promise<Pair[]> {
  const { told, refused, notes } = await replay(recording, await loadShim());
  expect(notes).toEqual([]);
  expect(compareRefusals(recording, refused)).toEqual([]);
  return compare(recording, told);
}

function expectSame(recording: FlightRecording, pairs: Pair[]): void {
  const report = textReport(recording.header, pairs, { seconds: 0, tookMs: 0, notes: [], refusals: [] });
  if (isDifferent(pairs, [])) throw new Error(report);
}

const types = (pairs: Pair[]): string[] => pairs.map(({ recorded }) => recorded?.body.type ?? "");

/** A short life of a telephone: rung, answered, talked to, dialled with, hung up, unplugged. */
async function live(phone: Stepped): Promise<void> {
  await phone.until(phone.verbs.ring(1, { pattern: "NORMAL", repeat: 3 }));
  await phone.advance(2500);
  await phone.until(phone.handsets.lift(1));
  await phone.advance(300);
  phone.verbs.play(1, pcmSource(sine(440, 900)), { when: "now" });
  await phone.advance(1500);
  await phone.until(phone.handsets.press(1, { ...KEYS, digits: "15#" }));
  await phone.advance(700);
  await phone.until(phone.handsets.speak(1, pcmSource(noise(8000, 3, 6000))));
  await phone.advance(800);
  await phone.until(phone.handsets.flash(1, 300));
  await phone.advance(500);
  await phone.until(phone.handsets.pulse(1, "3"));
  await phone.advance(1200);
  await phone.until(phone.handsets.hangUp(1));
  await phone.advance(500);
  await phone.until(phone.verbs.ring(1, { pattern: "SINGLE" }));
  await phone.advance(1000);
  await phone.until(phone.handsets.plug(1, false));
  await phone.advance(1500);
  await phone.until(phone.handsets.plug(1, true));
  await phone.advance(1500);
}

describe("a recording that is replayed", () => {
  test("gives the same events", async () => {
    using phone = await stepped();
    await live(phone);
    const recording = recordingOf(phone);
    const pairs = await replayed(recording);
    expectSame(recording, pairs);
    for (const type of ["ring_stop", "playback_finished", "dtmf", "voice", "flash", "error"])
      expect(types(pairs)).toContain(type);
  });

  test("with its sound: the detectors hear it again", async () => {
    using phone = await stepped({ flight: { sound: true } });
    await live(phone);
    const recording = recordingOf(phone, { sound: true });
    expect(recording.sound.length).toBeGreaterThan(300);
    expectSame(recording, await replayed(recording));
  });

  test("of two telephones that are bridged, recorded and refused", async () => {
    const folder = mkdtempSync(join(tmpdir(), "wip-flight-"));
    const log = { error: () => undefined };
    const recordings = new RecordingStore({ folder, limits: () => ({ minFreeBytes: 0, maxTotalBytes: 0 }), log });
    for (const sound of [false, true]) {
      using phone = await stepped({ ports: 2, recordings, flight: { sound } });
      await phone.until(phone.handsets.lift(1));
      await expect(phone.until(phone.verbs.ring(1, {}))).rejects.toThrow("lifted");
      await phone.verbs.record(1, { when: "now" }); // the disk is on the real clock
      await phone.advance(200);
      const loop = phone.verbs.play(1, await looped(sine(600, 400)), { when: "now", loop: 0 });
      await phone.advance(1000);
      await phone.until(phone.verbs.playbacks.pause(loop.playbackId));
      await phone.advance(500);
      await phone.until(phone.verbs.playbacks.stop(loop.playbackId));
      const barged = phone.verbs.play(1, pcmSource(sine(300, 5000)), { when: "now", bargeIn: "dtmf" });
      await phone.advance(700);
      await phone.until(phone.handsets.press(1, { ...KEYS, digits: "7" }));
      expect(await phone.until(barged.finished)).toMatchObject({ reason: "barged" });
      const bridging = phone.verbs.bridges.create([1, 2], {});
      await phone.until(bridging);
      await phone.advance(1500);
      await phone.until(phone.handsets.lift(2));
      await phone.advance(400);
      await phone.until(phone.handsets.speak(2, pcmSource(noise(6400, 5, 5000))));
      await phone.advance(600);
      await phone.verbs.stopRecording(1);
      await phone.until(phone.handsets.hangUp(2));
      await phone.until(phone.handsets.hangUp(1));
      await phone.advance(500);
      const recording = recordingOf(phone, { sound });
      const pairs = await replayed(recording);
      expectSame(recording, pairs);
      for (const type of ["bridge_left", "recording_finished", "playback_finished", "dtmf", "voice"])
        expect(types(pairs)).toContain(type);
    }
    rmSync(folder, { recursive: true });
  });

  test("of digits that were asked for, and announcements", async () => {
    for (const sound of [false, true]) {
      using phone = await stepped({ ports: 2, flight: { sound } });
      const announcing = phone.verbs.announce(2, {
        source: await looped(sine(500, 600)),
        loop: 2,
        ring: { pattern: "NORMAL" },
        whenLifted: "play",
        gather: { maxDigits: 1 },
      });
      await phone.until(phone.handsets.lift(1));
      const gather = phone.verbs.gather(1, {
        prompt: pcmSource(sine(400, 3000)),
        loop: 1,
        when: "now",
        finishOnKey: "#",
        interDigitTimeoutMs: 1000,
      });
      await phone.advance(1200);
      await phone.until(phone.handsets.press(1, { ...KEYS, digits: "46#" }));
      expect(await phone.until(gather.finished)).toMatchObject({ digits: "46" });
      await phone.until(phone.handsets.lift(2));
      const { finished } = await phone.until(announcing);
      await phone.advance(2200);
      await phone.until(phone.handsets.press(2, { ...KEYS, digits: "8" }));
      await phone.until(finished);
      await phone.until(phone.handsets.hangUp(2));
      const recording = recordingOf(phone, { sound });
      const pairs = await replayed(recording);
      expectSame(recording, pairs);
      expect(types(pairs)).toEqual(expect.arrayContaining(["gather_finished", "announce_finished"]));
    }
  });

  test("begins as the lines were, when what went before is forgotten", async () => {
    using phone = await stepped({ ports: 3, flight: { minutes: 1 } });
    await phone.until(phone.handsets.lift(2));
    await phone.until(phone.handsets.plug(3, false));
    await phone.advance(90_000);
    await phone.until(phone.handsets.press(2, { ...KEYS, digits: "9" }));
    await phone.until(phone.handsets.plug(3, true));
    await phone.advance(1000);
    await phone.until(phone.handsets.hangUp(2));
    await phone.advance(1500);
    const recording = recordingOf(phone);
    expect(recording.header.lines.map(({ in_service, lifted }) => [in_service, lifted])).toEqual([
      [true, false],
      [true, true],
      [false, false],
    ]);
    const pairs = await replayed(recording);
    expectSame(recording, pairs);
    expect(types(pairs)).toEqual(expect.arrayContaining(["dtmf", "on_hook", "hardware_status"]));
  });

  test("that begins and ends while somebody talks", async () => {
    using phone = await stepped({ flight: { minutes: 1 } });
    await phone.until(phone.handsets.lift(1));
    await phone.advance(10_000);
    const early = phone.handsets.speak(1, pcmSource(noise(16_000, 3, 6000)));
    await phone.until(early);
    await phone.advance(57_800); // its onset is forgotten, its end is not
    void phone.handsets.speak(1, pcmSource(noise(16_000, 4, 6000))).catch(() => undefined);
    await phone.advance(1300);
    const recording = recordingOf(phone);
    const voices = recording.entries.flatMap(({ entry }) =>
      "event" in entry && entry.event.type === "voice" ? [entry.event.active] : [],
    );
    expect(voices).toEqual([false, true]);
    expectSame(recording, await replayed(recording));
  });

  test("tells what another program did", async () => {
    using phone = await stepped();
    await live(phone);
    const recording = recordingOf(phone);
    // Shorter rings, a key more, one less: as if the code had changed.
    recording.entries = recording.entries.filter(
      ({ entry }) => !("event" in entry && entry.event.type === "dtmf" && entry.event.digit === "5"),
    );
    for (const { entry } of recording.entries) {
      if (!("event" in entry)) continue;
      if (entry.event.type === "playback_finished") entry.event.heard_ms = 500;
      if (entry.event.type === "flash") (entry.event as { type: string }).type = "on_hook";
    }
    const { told } = await replay(recording, await loadShim());
    const pairs = compare(recording, told);
    const verdicts = pairs.filter(({ verdict }) => verdict !== "same");
    expect(
      verdicts.map(({ verdict, notes, recorded, replayed }) => [
        verdict,
        (recorded ?? replayed)?.body.type,
        ...notes,
      ]),
    ).toEqual([
      ["other", "playback_finished", "heard_ms"],
      ["extra", "dtmf"],
      ["missing", "on_hook"],
      ["extra", "flash"],
    ] as never);
    expect(isDifferent(pairs, [])).toBe(true);
  });

  test("masked, with other digits in the places of those that were pressed", async () => {
    using phone = await stepped();
    await phone.until(phone.verbs.ring(1, { callerId: { name: "Zoë", number: "+49 30 1234" }, repeat: 2 }));
    await phone.advance(3000);
    await live(phone);
    const recording = recordingOf(phone, { masked: true });
    expect(JSON.stringify(recording)).not.toMatch(/Zoë|1234|"digits?":"[0-9#]/);
    expectSame(recording, await replayed(recording));
  });
});

async function looped(samples: Int16Array): Promise<KeptSource> {
  const kept = KeptSource.of(pcmSource(samples));
  expect(await kept.gather()).toBe("whole");
  return kept;
}

import { describe, expect, test } from "bun:test";
import { loadShim } from "../../../src/driver/library";
import { compare, type Pair } from "../../../src/flight/compare";
import { readRecording } from "../../../src/flight/read_recording";
import type { FlightRecording } from "../../../src/flight/recording";
import { replay } from "../../../src/flight/replay";
import { isDifferent, textReport } from "../../../src/flight/report";
import { noise, pcmSource, type Stepped, sine, stepped } from "../../support/stepped";

const KEYS = { onMs: 90, offMs: 90, levelDbm0: -12, twistDb: 0 };

const recordingOf = (phone: Stepped, options: { sound?: boolean; masked?: boolean } = {}): FlightRecording => {
  const text = [...phone.flight.dump({ reason: "test", sound: false, masked: false, ...options })].join("");
  return readRecording(new TextEncoder().encode(text));
};

async function replayed(recording: FlightRecording): Promise<Pair[]> {
  const { told, notes } = await replay(recording, await loadShim());
  expect(notes).toEqual([]);
  return compare(recording, told);
}

function expectSame(recording: FlightRecording, pairs: Pair[]): void {
  const report = textReport(recording.header, pairs, { seconds: 0, tookMs: 0, notes: [] });
  if (isDifferent(pairs)) throw new Error(report);
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
});

/** Live audio on a virtual clock: sample for sample, whatever JavaScript does meanwhile. */
import { describe, expect, test } from "bun:test";
import type { AudioRequest, AudioSession } from "../../../src/exchange/live_audio";
import { refusal } from "../../support/refusal";
import { find, noise, pcmSource, type Stepped, stepped } from "../../support/stepped";

/** Nothing on the line but what is said, and nothing lost in companding. */
const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;

export interface Listened {
  session: AudioSession;
  frames: Int16Array[];
  all(): Int16Array;
  lost: number[];
  flow: boolean[];
  closed: string[];
  started: number;
}

function open(phone: Stepped, request: Partial<AudioRequest> = {}, line = 1): Listened {
  const frames: Int16Array[] = [];
  const listened: Omit<Listened, "session"> = {
    frames,
    all: () => Int16Array.from(frames.flatMap((frame) => [...frame])),
    lost: [],
    flow: [],
    closed: [],
    started: 0,
  };
  const session = phone.exchange.openAudio(line, {
    talk: false,
    started: () => listened.started++,
    frame: (samples, lost) => {
      frames.push(samples.slice());
      listened.lost.push(lost);
    },
    flow: (full) => listened.flow.push(full),
    closed: (reason) => listened.closed.push(reason),
    ...request,
  });
  return Object.assign(listened, { session });
}

async function lifted(options: Parameters<typeof stepped>[0] = {}): Promise<Stepped & Disposable> {
  const phone = await stepped({ engine: CLEAN, ...options });
  await phone.until(phone.handsets.lift(1));
  await phone.advance(100);
  return phone;
}
describe("listening", () => {
  test("two listeners get what is said, sample for sample, each in frames of its own length", async () => {
    using phone = await lifted();
    const one = open(phone);
    const three = open(phone, { frameBlocks: 3 });
    const said = noise(8000, 3);
    await phone.until(phone.handsets.speak(1, pcmSource(said)));
    await phone.advance(200);
    for (const { frames, all, lost } of [one, three]) {
      expect(find(all(), said)).toBeGreaterThanOrEqual(0);
      expect(lost.every((blocks) => blocks === 0)).toBe(true);
      expect(new Set(frames.map((frame) => frame.length)).size).toBe(1);
    }
    expect([one.frames[0]?.length, three.frames[0]?.length]).toEqual([160, 480]);
    expect(one.started).toBe(1);
    one.session.close();
    const before = one.frames.length;
    await phone.advance(200);
    expect(one.frames.length).toBe(before);
    expect(one.closed).toEqual([]);
  });

  test("JavaScript that stood still for longer than the tap keeps loses blocks, and says how many", async () => {
    using phone = await lifted();
    const { frames, lost, session } = open(phone);
    await phone.advance(100);
    const before = frames.length;
    phone.engine.step(15_000);
    await phone.advance(100);
    const missing = lost.reduce((sum, each) => sum + each, 0);
    expect(missing).toBeGreaterThan(0);
    expect(frames.length - before + missing).toBe(15_100 / 20);
    expect(session.stats()).toMatchObject({ framesOut: frames.length, lostBlocks: missing });
  });
});

describe("a session's life", () => {
  test("is refused on-hook, waits for the lift where that is wanted, and ends at hanging up", async () => {
    using phone = await stepped({ engine: CLEAN });
    expect(await refusal(() => open(phone))).toBe("line_on_hook");
    const waiting = open(phone, { when: "off_hook" });
    await phone.advance(200);
    expect([waiting.started, waiting.frames.length]).toEqual([0, 0]);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(200);
    expect(waiting.started).toBe(1);
    expect(waiting.frames.length).toBeGreaterThan(5);
    await phone.until(phone.handsets.hangUp(1));
    await phone.advance(1000);
    expect(waiting.closed).toEqual(["hung_up"]);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(200);
    expect(waiting.started).toBe(1);
  });

  test("that waits for an answer begins with it, or ends with the ring", async () => {
    using phone = await stepped({ engine: CLEAN });
    await phone.until(phone.exchange.ring(1, { pattern: "SINGLE" }));
    const unanswered = open(phone);
    await phone.advance(2000);
    expect([unanswered.started, unanswered.closed]).toEqual([0, ["unanswered"]]);
    await phone.until(phone.exchange.ring(1, {}));
    const answered = open(phone);
    await phone.until(phone.handsets.lift(1));
    await phone.advance(200);
    expect(answered.started).toBe(1);
  });

  test("ends with its line", async () => {
    using phone = await lifted();
    const { closed } = open(phone);
    await phone.until(phone.handsets.plug(1, false));
    await phone.advance(100);
    expect(closed).toEqual(["line_down"]);
  });
});

/** Who talks live into a line, on a virtual clock: paced by the card's, whatever JavaScript does meanwhile. */
import { describe, expect, test } from "bun:test";
import type { AudioRequest, AudioSession } from "../../../src/exchange/live_audio";
import { SILENT_LINE } from "../../../src/line/model";
import { refusal } from "../../support/refusal";
import { find, noise, type Stepped, stepped } from "../../support/stepped";

const CLEAN = { SimEchoCdb: 0, SimNoiseCdbm0: -12000, SimCompanding: 0 } as const;
const SAMPLES_PER_MS = 8;
/** What begins is faded in over so much. */
const FADE = 40;

async function lifted(options: Parameters<typeof stepped>[0] = {}): Promise<Stepped & Disposable> {
  const phone = await stepped({ engine: CLEAN, ...options });
  await phone.until(phone.handsets.lift(1));
  await phone.advance(100);
  return phone;
}

interface Talking {
  session: AudioSession;
  flow: boolean[];
  marks: string[];
  closed: string[];
  mark(name: string): void;
}

function talker(phone: Stepped, request: Partial<AudioRequest> = {}): Talking {
  const flow: boolean[] = [];
  const marks: string[] = [];
  const closed: string[] = [];
  const session = phone.exchange.openAudio(1, {
    talk: true,
    frame: () => undefined,
    flow: (full) => flow.push(full),
    closed: (reason) => closed.push(reason),
    ...request,
  });
  const mark = (name: string): void =>
    session.mark(name, (told, cleared) => marks.push(cleared ? `${told} cleared` : told));
  return { session, flow, marks, closed, mark };
}

const ear = (phone: Stepped, seconds = 30): Int16Array => phone.handsets.ear(1, seconds);
/** Where it stands in the ear, but for its fade. */
const heardAt = (phone: Stepped, said: Int16Array, fade = FADE): number => {
  const at = find(ear(phone), said.subarray(fade));
  return at < 0 ? at : at - fade;
};

describe("pacing", () => {
  test("frames of any length, at any moment within the target, are heard without a gap, sample for sample", async () => {
    using phone = await lifted();
    const { session } = talker(phone, { targetMs: 60 });
    const said = noise(8000, 1);
    let at = 0;
    // 20 ms go by at a time: what comes is 10 ms too little, then 10 ms too much.
    for (const samples of [320, ...Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 80 : 240))]) {
      at += session.talk(said.subarray(at, at + samples));
      await phone.advance(20);
    }
    await phone.advance(200);
    expect(at).toBe(said.length);
    expect(heardAt(phone, said)).toBeGreaterThanOrEqual(0);
    expect(session.stats()).toMatchObject({ underruns: 0, droppedSamples: 0, bufferedMs: 0, samplesIn: 8000 });
  });

  test("JavaScript that stands still for half a second is not heard", async () => {
    using phone = await lifted();
    const { session } = talker(phone);
    const said = noise(3 * 8000, 2);
    session.talk(said);
    await phone.advance(400);
    phone.engine.step(500);
    await phone.advance(400);
    phone.engine.step(700);
    await phone.advance(2000);
    expect(heardAt(phone, said)).toBeGreaterThanOrEqual(0);
    expect(session.stats().underruns).toBe(0);
  });

  test("what comes too late in the middle of a sound is an underrun, and goes on after the target", async () => {
    using phone = await lifted();
    const { session } = talker(phone);
    const said = noise(4000, 3);
    session.talk(said.subarray(0, 2000));
    await phone.advance(350);
    session.talk(said.subarray(2000));
    await phone.advance(500);
    expect(session.stats().underruns).toBe(1);
    const first = heardAt(phone, said.subarray(0, 2000));
    const second = heardAt(phone, said.subarray(2000));
    expect(first).toBeGreaterThanOrEqual(0);
    expect(second - first).toBeGreaterThan(2000);
  });

  test("a word shorter than the target is said all the same", async () => {
    using phone = await lifted();
    const { session } = talker(phone, { targetMs: 100 });
    const word = noise(120, 4);
    session.talk(word);
    await phone.advance(300);
    expect(heardAt(phone, word)).toBeGreaterThanOrEqual(0);
  });

  test("with a longest delay the oldest is dropped, and what comes is heard soon", async () => {
    using phone = await lifted();
    const { session } = talker(phone, { targetMs: 40, maxMs: 200 });
    session.talk(noise(SAMPLES_PER_MS * 600, 5));
    await phone.advance(20);
    const { droppedSamples, bufferedMs } = session.stats();
    expect(droppedSamples).toBeGreaterThan(SAMPLES_PER_MS * 400);
    expect(bufferedMs).toBeLessThanOrEqual(200);
    const late = noise(800, 6);
    session.talk(late);
    await phone.advance(450);
    expect(heardAt(phone, late, 0)).toBeGreaterThanOrEqual(0);
  });
});

describe("a client that stalls and catches up", () => {
  const afterStall = async (request: Partial<AudioRequest>) => {
    using phone = await lifted();
    const { session } = talker(phone, request);
    const frame = noise(160, 15);
    const speak = async (frames: number): Promise<void> => {
      for (let i = 0; i < frames; i++) {
        session.talk(frame);
        await phone.advance(20);
      }
    };
    await speak(50);
    await phone.advance(200);
    for (let i = 0; i < 10; i++) session.talk(frame);
    await speak(250);
    return session.stats();
  };

  test("leaves no delay behind where a longest one was asked for", async () => {
    const { bufferedMs, droppedSamples, underruns } = await afterStall({ maxMs: 500 });
    expect(bufferedMs).toBeLessThanOrEqual(40);
    expect(underruns).toBe(1);
    expect(droppedSamples).toBeGreaterThanOrEqual(SAMPLES_PER_MS * 160);
    expect(droppedSamples).toBeLessThanOrEqual(SAMPLES_PER_MS * 240);
  });

  test("is heard whole where none was", async () => {
    const { bufferedMs, droppedSamples } = await afterStall({});
    expect(droppedSamples).toBe(0);
    expect(bufferedMs).toBeGreaterThanOrEqual(160);
  });
});

describe("what waits", () => {
  test("half a minute may; beyond it nothing is taken; the client is told in time, and again when it may go on", async () => {
    using phone = await lifted();
    const { session, flow } = talker(phone);
    const second = noise(8000, 7);
    for (let i = 0; i < 20; i++) expect(session.talk(second)).toBe(8000);
    expect(flow).toEqual([]);
    for (let i = 0; i < 10; i++) expect(session.talk(second)).toBe(8000);
    expect(flow).toEqual([true]);
    expect(session.talk(second)).toBe(0);
    expect(session.stats()).toMatchObject({ bufferedMs: 30_000, droppedSamples: 8000 });
    await phone.advance(21_000);
    expect(flow).toEqual([true, false]);
    await phone.advance(10_000);
    expect(session.stats()).toMatchObject({ bufferedMs: 0, underruns: 0 });
    // The ear keeps half a minute: all of its end is there, second after second.
    const heard = ear(phone);
    let at = find(heard, second);
    for (let i = 0; i < 15; i++, at += 8000) expect(find(heard.subarray(at, at + 8000), second)).toBe(0);
  });

  test("a mark is told when all before it was heard, in order, also of what was still on its way to the lane", async () => {
    using phone = await lifted();
    const { session, marks, mark } = talker(phone);
    mark("nothing yet");
    await phone.advance(60);
    expect(marks).toEqual(["nothing yet"]);
    session.talk(noise(4000, 8));
    mark("half a second");
    session.talk(noise(16_000, 9));
    mark("all");
    await phone.advance(480);
    expect(marks).toEqual(["nothing yet"]);
    await phone.advance(160);
    expect(marks).toEqual(["nothing yet", "half a second"]);
    await phone.advance(1800);
    expect(marks).toEqual(["nothing yet", "half a second"]);
    await phone.advance(160);
    expect(marks).toEqual(["nothing yet", "half a second", "all"]);
  });

  test("clear drops what waits, answers its marks, and what is said next is heard at once", async () => {
    using phone = await lifted();
    const { session, marks, mark } = talker(phone);
    const long = noise(10 * 8000, 10);
    session.talk(long);
    mark("never");
    await phone.advance(500);
    session.clear();
    expect(marks).toEqual(["never cleared"]);
    expect(session.stats().bufferedMs).toBe(0);
    const word = noise(1600, 11);
    session.talk(word);
    mark("word");
    await phone.advance(340);
    expect(marks).toEqual(["never cleared", "word"]);
    await phone.advance(1000);
    const heard = ear(phone, 1);
    expect(heard.every((sample) => sample === 0)).toBe(true);
    expect(heardAt(phone, word)).toBeGreaterThanOrEqual(0);
    expect(heardAt(phone, long)).toBe(-1);
  });

  test("no more marks than there may be", async () => {
    using phone = await lifted();
    const { session, mark, marks } = talker(phone);
    session.talk(noise(8000, 12));
    for (let i = 0; i < 1500; i++) mark(`${i}`);
    expect(await refusal(() => mark("1500"))).toBe("queue_full");
    await phone.advance(1200);
    expect(marks).toEqual(Array.from({ length: 1500 }, (_, i) => `${i}`));
    mark("1501");
  });
});

describe("a flood", () => {
  /** All lines share the ring of commands: what is asked of another one must find place there. */
  const ringsAnother = async (phone: Stepped): Promise<unknown> => {
    const ringing = phone.exchange.ring(2, { pattern: "SINGLE" });
    return await phone.until(ringing);
  };

  test("of clears costs other lines nothing; what was said before them is silent, what is said after them is heard", async () => {
    using phone = await lifted({ ports: 2 });
    const { session, mark, marks } = talker(phone);
    const long = noise(8000, 30);
    session.talk(long);
    await phone.advance(100);
    for (let i = 0; i < 10_000; i++) {
      session.talk(long.subarray(i % 4000, (i % 4000) + 1 + (i % 3)));
      mark(`${i}`);
      session.clear();
    }
    const word = noise(1600, 31);
    expect(session.talk(word)).toBe(1600);
    mark("word");
    expect(await ringsAnother(phone)).toMatchObject({ pattern: "SINGLE" });
    await phone.advance(340);
    expect(marks.slice(-2)).toEqual(["9999 cleared", "word"]);
    expect(heardAt(phone, word)).toBeGreaterThanOrEqual(0);
    expect(find(ear(phone), long.subarray(2000, 2400))).toBe(-1);
    expect(phone.engine.engineStats().events_lost).toBe(0);
  });

  test("behind a clear, where a longest delay was asked for: the newest is heard, the oldest dropped", async () => {
    using phone = await lifted();
    const { session } = talker(phone, { maxMs: 100 });
    session.talk(noise(160, 32));
    session.clear();
    const said = noise(8000, 33);
    expect(session.talk(said)).toBe(8000);
    expect(session.talk(said)).toBe(0);
    await phone.advance(300);
    expect(session.stats().bufferedMs).toBe(0);
    expect(session.stats().droppedSamples).toBeGreaterThanOrEqual(15_000);
    expect(find(ear(phone), said.subarray(7800))).toBeGreaterThanOrEqual(0);
  });

  test("of marks, each behind a sample, costs other lines nothing; each is told when it was heard, in order", async () => {
    using phone = await lifted({ ports: 2 });
    const { session, mark, marks } = talker(phone);
    const said = noise(1500, 34);
    for (let i = 0; i < 1500; i++) {
      session.talk(said.subarray(i, i + 1));
      mark(`${i}`);
    }
    expect(await ringsAnother(phone)).toMatchObject({ pattern: "SINGLE" });
    await phone.advance(2000);
    expect(marks).toEqual(Array.from({ length: 1500 }, (_, i) => `${i}`));
  });

  test("one that hangs up behind its clear leaves nothing in the line", async () => {
    using phone = await lifted();
    const { session } = talker(phone);
    const said = noise(4000, 35);
    session.talk(said.subarray(0, 1600));
    session.clear();
    session.talk(said.subarray(1600));
    session.close();
    await phone.advance(1000);
    expect(find(ear(phone), said.subarray(1700, 1900))).toBe(-1);
  });
});

describe("talkers", () => {
  test("one at a time; it makes room when it goes, and hears its marks cleared", async () => {
    using phone = await lifted();
    const first = talker(phone);
    expect(await refusal(() => talker(phone))).toBe("talker_active");
    expect(await refusal(() => talker(phone, { mixed: true }))).toBe("talker_active");
    first.session.talk(noise(8000, 13));
    first.mark("unheard");
    first.session.close();
    expect(first.marks).toEqual(["unheard cleared"]);
    expect(first.session.talk(noise(160, 1))).toBe(0);
    const second = talker(phone);
    await phone.advance(100);
    const word = noise(1600, 14);
    second.session.talk(word);
    await phone.advance(400);
    expect(heardAt(phone, word)).toBeGreaterThanOrEqual(0);
  });

  test("that allow each other are added together: up to four", async () => {
    using phone = await lifted();
    const four = [1, 2, 3, 4].map(() => talker(phone, { mixed: true }));
    expect(await refusal(() => talker(phone, { mixed: true }))).toBe("talker_active");
    expect(await refusal(() => talker(phone))).toBe("talker_active");
    const words = four.map((_, i) => noise(1600, 20 + i, 2000));
    for (const [i, word] of words.entries()) four[i]?.session.talk(word);
    await phone.advance(500);
    const sum = Int16Array.from({ length: 1600 }, (_, i) =>
      words.reduce((total, word) => total + (word[i] as number), 0),
    );
    expect(heardAt(phone, sum)).toBeGreaterThanOrEqual(0);
  });

  test("a line with somebody attached is IN_CALL, has no dial tone, and is not left off-hook", async () => {
    const lineSettings = {
      ...SILENT_LINE,
      dialTone: { timeoutMs: 15_000 },
      offHookTimeout: { afterMs: 20_000, reorderMs: 5000, howlerMs: 5000 },
    };
    using phone = await stepped({ engine: CLEAN, lineSettings });
    const { session, closed } = talker(phone, { when: "off_hook" });
    expect(phone.exchange.status(1).state).toBe("IDLE");
    await phone.until(phone.handsets.lift(1));
    await phone.advance(60_000);
    expect(phone.exchange.status(1).state).toBe("IN_CALL");
    expect(ear(phone).every((sample) => sample === 0)).toBe(true);
    expect(phone.types()).not.toContain("off_hook_timeout");
    session.close();
    expect(phone.exchange.status(1).state).toBe("OFF_HOOK");
    expect(closed).toEqual([]);
    await phone.advance(21_000);
    expect(phone.types()).toContain("off_hook_timeout");
  });
});

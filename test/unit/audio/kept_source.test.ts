import { describe, expect, test } from "bun:test";
import { withGain } from "../../../src/audio/gain";
import { KeptSource, MAX_KEPT_BYTES } from "../../../src/audio/kept_source";
import { NOT_YET, type PcmSource } from "../../../src/audio/source";
import { noise, pcmSource, readAll, sine } from "../../support/stepped";

const later = (work: () => void): void => void setImmediate(work);

/** Counts what is asked of it. */
function endless(): PcmSource & { given: number; closed: number } {
  return {
    samples: null,
    given: 0,
    closed: 0,
    read(into) {
      for (let i = 0; i < into.length; i++) into[i] = (this.given + i) % 1000;
      this.given += into.length;
      return into.length;
    },
    close() {
      this.closed++;
    },
  };
}

describe("a sound that is kept", () => {
  test("is read again from any place, in pieces of any size", () => {
    const sound = noise(50_001, 3);
    const kept = new KeptSource(pcmSource(sound));
    expect(readAll(kept, 777)).toEqual(sound);
    for (const place of [0, 1, 8191, 8192, 8193, 50_000, 50_001]) {
      kept.seek(place);
      expect(readAll(kept, 1013)).toEqual(sound.slice(place));
    }
  });

  test("is sought in ahead of what was read", () => {
    const sound = noise(30_000, 4);
    const kept = new KeptSource(pcmSource(sound));
    kept.read(new Int16Array(100));
    kept.seek(20_000);
    expect(readAll(kept)).toEqual(sound.slice(20_000));
    kept.seek(100);
    expect(readAll(kept)).toEqual(sound.slice(100));
    kept.seek(99_999);
    expect(readAll(kept).length).toBe(0);
  });

  test("far ahead gives others their turn, and asks to be read again", async () => {
    const kept = new KeptSource(pcmSource(noise(300_000, 5)), { maxBytes: MAX_KEPT_BYTES, later });
    kept.seek(299_000);
    const into = new Int16Array(500);
    let turns = 0;
    while (kept.read(into) === NOT_YET) {
      turns++;
      await new Promise<void>((resolve) => kept.whenReady(resolve));
    }
    expect(turns).toBeGreaterThan(2);
    expect(into).toEqual(noise(300_000, 5).slice(299_000, 299_500));
  });

  test("repeats over its seam, from any round", async () => {
    const sound = noise(1001, 6);
    const kept = new KeptSource(pcmSource(sound));
    expect(await kept.gather()).toBe("whole");
    kept.repeat(3);
    expect(kept.samples).toBe(3003);
    const thrice = Int16Array.from([...sound, ...sound, ...sound]);
    expect(readAll(kept, 400)).toEqual(thrice);
    kept.seek(1500);
    expect(readAll(kept, 4000)).toEqual(thrice.slice(1500));
  });

  test("of no length at all repeats to nothing", async () => {
    const kept = new KeptSource(pcmSource(new Int16Array(0)));
    expect(await kept.gather()).toBe("whole");
    kept.repeat(0);
    expect(kept.read(new Int16Array(10))).toBe(0);
  });
});

describe("memory", () => {
  test("past the bound it passes through and keeps nothing", () => {
    const source = endless();
    const kept = new KeptSource(source, { maxBytes: 100_000, later });
    const into = new Int16Array(4000);
    let at = 0;
    for (let i = 0; i < 50; i++) {
      expect(kept.read(into)).toBe(4000);
      for (const sample of into) expect(sample).toBe(at++ % 1000);
    }
    expect([kept.rewindable, kept.seekable, kept.heldBytes]).toEqual([false, false, 0]);
    kept.close();
    kept.close();
    expect(source.closed).toBe(1);
  });

  test("of all sounds together is bounded, and is given back", () => {
    const into = new Int16Array(65_536);
    const open = (): KeptSource => {
      const kept = new KeptSource(endless());
      for (let i = 0; i < 60; i++) kept.read(into); // 7.9 MB
      return kept;
    };
    const many = Array.from({ length: 20 }, open);
    const keeping = many.filter(({ rewindable }) => rewindable).length;
    expect(keeping).toBeGreaterThanOrEqual(11);
    expect(keeping).toBeLessThanOrEqual(13);
    for (const kept of many) kept.close();
    const one = open();
    expect(one.rewindable).toBe(true);
    one.close();
  });

  test("what is known to be too long can be taken back at first, and is not seekable", () => {
    const kept = new KeptSource({ ...endless(), samples: 10_000_000 });
    kept.read(new Int16Array(65_536));
    expect([kept.rewindable, kept.seekable]).toEqual([true, false]);
    for (let i = 0; i < 4; i++) kept.read(new Int16Array(65_536));
    expect(kept.rewindable).toBe(false);
    kept.close();
  });
});

describe("gain", () => {
  test("gives as many samples as it takes, whatever the chunks, and 0 dB is the source itself", () => {
    const sound = sine(1000, 200, 20_000);
    const louder = [1, 7, 39, 40, 41, 4096].map((chunk) => readAll(withGain(pcmSource(sound), 12), chunk));
    for (const each of louder) expect(each).toEqual(louder[0] as Int16Array);
    expect(louder[0]?.length).toBe(sound.length);
    const source = pcmSource(sound);
    expect(withGain(source, 0)).toBe(source);
  });
});

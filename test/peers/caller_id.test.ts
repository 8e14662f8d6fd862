/** Our caller ID as others decode it: spandsp's receiver and minimodem. */
import { afterAll, describe, expect } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fskSamples } from "../../src/audio/caller_id/fsk";
import {
  type CallerId,
  mdmfCaller,
  mdmfWaiting,
  sdmfCaller,
  sdmfWaiting,
} from "../../src/audio/caller_id/message";
import { type CallerIdSchemeName, callerIdSamples } from "../../src/audio/caller_id/scheme";
import { ULAW_TO_S16 } from "../../src/audio/g711";
import { encodeWav } from "../../src/audio/wav";
import { noise } from "../support/stepped";
import { hears, testMinimodem, testSpandsp } from "./display";
import { told } from "./peer";

const time = { month: 12, day: 31, hour: 23, minute: 59 };
const known: CallerId = { number: "+1 202-555-0100", name: "Zoë Müller", time };
const longest: CallerId = { number: "12345678901234567890", name: "Fifteen letters", time };
const numberOnly: CallerId = { number: "100", time };
const withheld: CallerId = { absent: "private", time };
const unknown: CallerId = { time };

const SILENCE = new Int16Array(4000);
const join3 = (...parts: Int16Array[]): Int16Array => Int16Array.from(parts.flatMap((part) => [...part]));
/** With half a second of silence on both sides. */
const around = (samples: Int16Array): Int16Array => join3(SILENCE, samples, SILENCE);

/** The nearest mu-law value of each sample, as the card's codec makes of it. */
function throughMulaw(samples: Int16Array): Int16Array {
  const levels = [...new Set(ULAW_TO_S16)].sort((a, b) => a - b);
  return samples.map((value) =>
    levels.reduce((best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best)),
  );
}

/** Over a long loop: softer by `lossDb`, with white noise `snrDb` under it. */
function overLoop(samples: Int16Array, lossDb: number, snrDb: number): Int16Array {
  const gain = 10 ** (-lossDb / 20);
  const rms = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length) * gain;
  // Evenly distributed: its RMS is its peak over √3.
  const hiss = noise(samples.length, 7, rms * Math.sqrt(3) * 10 ** (-snrDb / 20));
  return samples.map((value, i) => Math.round(value * gain) + (hiss[i] as number));
}

describe("spandsp decodes", () => {
  const TIME = "01=12312359";
  for (const [scheme, standard] of [
    ["bell202", "class"],
    ["v23", "clip"],
  ] as const) {
    testSpandsp(`${scheme} MDMF: name and number, either, neither`, async () => {
      const decoded = async (caller: CallerId) => hears(standard, around(callerIdSamples(caller, scheme)));
      expect(await decoded(known)).toEqual([`80\t${TIME}\t02=12025550100\t07=Zoe Muller`]);
      expect(await decoded(longest)).toEqual([`80\t${TIME}\t02=12345678901234567890\t07=Fifteen letters`]);
      expect(await decoded(numberOnly)).toEqual([`80\t${TIME}\t02=100`]);
      expect(await decoded(withheld)).toEqual([`80\t${TIME}\t04=P\t08=P`]);
      expect(await decoded(unknown)).toEqual([`80\t${TIME}\t04=O\t08=O`]);
    });

    testSpandsp(`${scheme} SDMF and the lamp of waiting messages`, async () => {
      const decoded = async (message: Uint8Array) =>
        hears(standard, around(fskSamples(message, scheme, "on_hook")));
      expect(await decoded(mdmfWaiting("on"))).toEqual(["82\t0b=\\xff"]);
      expect(await decoded(mdmfWaiting("off"))).toEqual(["82\t0b=\\x00"]);
      if (scheme !== "bell202") return; // Europe has no SDMF
      expect(await decoded(sdmfCaller(known))).toEqual(["04\t00=1231235912025550100"]);
      expect(await decoded(sdmfWaiting("on"))).toEqual(["06\t00=BBB"]);
      expect(await decoded(sdmfWaiting("off"))).toEqual(["06\t00=ooo"]);
    });

    testSpandsp(`${scheme} off-hook: without a channel seizure`, async () => {
      const samples = fskSamples(mdmfCaller(known), scheme, "off_hook");
      expect(await hears(standard, around(samples))).toEqual([`80\t${TIME}\t02=12025550100\t07=Zoe Muller`]);
    });

    testSpandsp(`${scheme} through mu-law, and 12 dB softer over a noisy loop`, async () => {
      const samples = around(callerIdSamples(known, scheme));
      const whole = [`80\t${TIME}\t02=12025550100\t07=Zoe Muller`];
      expect(await hears(standard, throughMulaw(samples))).toEqual(whole);
      // −25.5 dBm0: spandsp listens down to −30.
      for (const snrDb of [30, 20, 15]) expect(await hears(standard, overLoop(samples, 12, snrDb))).toEqual(whole);
    });

    testSpandsp(`${scheme}: a hundred messages, each with every byte right`, async () => {
      const callers = Array.from({ length: 100 }, (_, i) => ({
        number: String(1_000_000 + i * 88_591),
        name: `Caller ${i}`,
        time,
      }));
      const samples = join3(...callers.map((caller) => around(callerIdSamples(caller, scheme))));
      expect(await hears(standard, samples)).toEqual(
        callers.map(({ number, name }) => `80\t${TIME}\t02=${number}\t07=${name}`),
      );
    });
  }

  testSpandsp("DTMF in every framing", async () => {
    const decoded = async (caller: CallerId, scheme: CallerIdSchemeName) =>
      hears("clip_dtmf", throughMulaw(around(callerIdSamples(caller, scheme))));
    // 43 is C, 23 is #: what ended it; 41 is A and so on: what began it.
    expect(await decoded(known, "dtmf_a_c")).toEqual(["43\t41=12025550100"]);
    expect(await decoded(withheld, "dtmf_a_c")).toEqual(["43\t42=10"]);
    expect(await decoded(unknown, "dtmf_a_c")).toEqual(["43\t42=00"]);
    expect(await decoded(known, "dtmf_a_hash")).toEqual(["23\t41=12025550100"]);
    expect(await decoded(withheld, "dtmf_a_hash")).toEqual(["23\t44=1"]);
    expect(await decoded(unknown, "dtmf_a_hash")).toEqual(["23\t44=3"]);
    expect(await decoded(known, "dtmf_d_c")).toEqual(["43\t44=12025550100"]);
    expect(await decoded(known, "dtmf_hash")).toEqual(["23\t00=12025550100"]);
  });

  testSpandsp("nothing where the checksum is wrong: the test can fail", async () => {
    const broken = mdmfCaller(known);
    broken[5] = (broken[5] as number) ^ 1;
    expect(await hears("class", around(fskSamples(broken, "bell202", "on_hook")))).toEqual([]);
  });
});

describe("minimodem decodes", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-caller-id-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const decodes = async (samples: Int16Array, ...mode: string[]): Promise<string> => {
    const path = join(folder, "caller_id.wav");
    writeFileSync(path, encodeWav(around(samples)));
    return told(["minimodem", "--rx", ...mode, "--file", path]);
  };

  testMinimodem("bell202 as a caller's name and number", async () => {
    expect(await decodes(callerIdSamples(known, "bell202"), "callerid")).toBe(
      "CALLER-ID\nTime:  12/31 23:59\nPhone: 12025550100\nName:  Zoe Muller\n",
    );
    expect(await decodes(callerIdSamples(withheld, "bell202"), "callerid")).toBe(
      "CALLER-ID\nTime:  12/31 23:59\nPhone: [blocked]\nName:  [blocked]\n",
    );
    expect(await decodes(callerIdSamples(known, "bell202_sdmf"), "callerid")).toBe(
      "CALLER-ID\nTime:  12/31 23:59\nPhone: 12025550100\n",
    );
  });

  testMinimodem("v23 as text at its own frequencies", async () => {
    const heard = await decodes(
      callerIdSamples(known, "v23"),
      "1200",
      "--mark",
      "1300",
      "--space",
      "2100",
      "--ascii",
    );
    expect(heard).toContain("12025550100");
    expect(heard).toContain("Zoe Muller");
  });
});

import { describe, expect, test } from "bun:test";
import { ALERT_HZ, alertSamples } from "../../../src/audio/caller_id/alert";
import { dtmfKeys, dtmfSamples } from "../../../src/audio/caller_id/dtmf";
import { FSK_LEVEL_DBM0, fskSamples, SENDING_WINDOW } from "../../../src/audio/caller_id/fsk";
import {
  type CallerId,
  callTime,
  dialledDigits,
  displayedName,
  mdmfCaller,
  mdmfWaiting,
  sdmfCaller,
  sdmfWaiting,
} from "../../../src/audio/caller_id/message";
import {
  CALLER_ID_SCHEMES,
  type CallerIdSchemeName,
  callerIdSamples,
  callerIdScheme,
} from "../../../src/audio/caller_id/scheme";
import { TONE_ZONES } from "../../../src/audio/tone_zones";
import { goertzelDbm0, rmsDbm0 } from "../../support/level";

const time = { month: 1, day: 29, hour: 7, minute: 5 };
const caller: CallerId = { number: "+1 (202) 555-0100", name: "Zoë Müller", time };
const SCHEMES = Object.keys(CALLER_ID_SCHEMES) as CallerIdSchemeName[];

/** As a hexadecimal dump, the checksum apart. */
const dump = (message: Uint8Array): string => Buffer.from(message.subarray(0, -1)).toString("hex");
const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");

describe("the messages", () => {
  test("MDMF: time, number, name", () => {
    expect(dump(mdmfCaller(caller))).toBe(
      `8023${`0108${hex("01290705")}`}${`020b${hex("12025550100")}`}${`070a${hex("Zoe Muller")}`}`,
    );
  });

  test("MDMF: why there is no number", () => {
    expect(dump(mdmfCaller({ time, absent: "private" }))).toBe(
      `8010${`0108${hex("01290705")}`}${`0401${hex("P")}`}${`0801${hex("P")}`}`,
    );
    expect(dump(mdmfCaller({ time, name: "Nowhere" }))).toBe(
      `8016${`0108${hex("01290705")}`}${`0401${hex("O")}`}${`0707${hex("Nowhere")}`}`,
    );
    expect(dump(mdmfCaller({ time, number: "100" }))).toBe(
      `800f${`0108${hex("01290705")}`}${`0203${hex("100")}`}`,
    );
  });

  test("SDMF: time and number", () => {
    expect(dump(sdmfCaller(caller))).toBe(`0413${hex("0129070512025550100")}`);
    expect(dump(sdmfCaller({ time, absent: "private" }))).toBe(`0409${hex("01290705P")}`);
    expect(dump(sdmfCaller({ time }))).toBe(`0409${hex("01290705O")}`);
  });

  test("waiting messages: the lamp on and off", () => {
    expect(dump(mdmfWaiting("on"))).toBe("82030b01ff");
    expect(dump(mdmfWaiting("off"))).toBe("82030b0100");
    expect(dump(sdmfWaiting("on"))).toBe("0603424242");
    expect(dump(sdmfWaiting("off"))).toBe("06036f6f6f");
  });

  test("every sum is 0", () => {
    for (const message of [
      mdmfCaller(caller),
      mdmfCaller({ time }),
      sdmfCaller(caller),
      mdmfWaiting("on"),
      sdmfWaiting("off"),
    ]) {
      expect(message.reduce((sum, byte) => (sum + byte) & 0xff, 0)).toBe(0);
      expect(message.length).toBe((message[1] as number) + 3);
    }
  });

  test("numbers as people write them", () => {
    expect(dialledDigits("+49 (0)30/123-45.6")).toBe("4903012345" + "6");
    expect(dialledDigits("*21#")).toBe("*21#");
    expect(dialledDigits("12345678901234567890")).toHaveLength(20);
    for (const wrong of ["", " ", "+", "anonymous", "1+2", "123456789012345678901", "１２"])
      expect(dialledDigits(wrong)).toBeNull();
    expect(() => mdmfCaller({ time, number: "anonymous" })).toThrow(RangeError);
    expect(() => sdmfCaller({ time, number: "" })).toThrow(RangeError);
  });

  test("names in the letters of every display", () => {
    expect(displayedName("Zoë  Müller\n")).toBe("Zoe Muller");
    expect(displayedName("Straße Łódź Ørsted")).toBe("Strasse Lodz Or");
    expect(displayedName("日本")).toBe("??");
    expect(displayedName("😀!")).toBe("?!");
    expect(displayedName("  ")).toBe("");
    expect(dump(mdmfCaller({ time, number: "1", name: " " }))).toBe(dump(mdmfCaller({ time, number: "1" })));
  });

  test("the time is that of the wall", () => {
    expect(callTime(new Date(2026, 11, 31, 23, 59))).toEqual({ month: 12, day: 31, hour: 23, minute: 59 });
  });
});

/** The frequency of what is one sine, by least squares: x[i−1] + x[i+1] = 2 cos ω · x[i]. */
function sineHz(samples: Int16Array): number {
  let product = 0;
  let power = 0;
  for (let i = 1; i < samples.length - 1; i++) {
    const [before, value, after] = samples.subarray(i - 1, i + 2) as unknown as [number, number, number];
    product += value * (before + after);
    power += value * value;
  }
  return (Math.acos(product / (2 * power)) * 8000) / (2 * Math.PI);
}

describe("FSK", () => {
  test("marks and spaces have their frequencies, and are where they belong", () => {
    for (const [modem, markHz, spaceHz] of [
      ["bell202", 1200, 2200],
      ["v23", 1300, 2100],
    ] as const) {
      // Off-hook: 80 bits of mark, then a start bit and the 8 bits of 00, a stop bit.
      const samples = fskSamples(Uint8Array.from([0]), modem, "off_hook");
      const bits = (from: number, to: number) =>
        samples.subarray(Math.ceil((from * 20) / 3) + 1, Math.floor((to * 20) / 3));
      expect(sineHz(bits(0, 80))).toBeCloseTo(markHz, -0.5);
      expect(sineHz(bits(80, 89))).toBeCloseTo(spaceHz, -0.5);
      expect(sineHz(bits(89, 100))).toBeCloseTo(markHz, -0.5);
    }
  });

  test("has the standard's level, length and frequencies", () => {
    const message = mdmfCaller(caller);
    for (const [modem, markHz] of [
      ["bell202", 1200],
      ["v23", 1300],
    ] as const) {
      const onHook = fskSamples(message, modem, "on_hook");
      const offHook = fskSamples(message, modem, "off_hook");
      expect(rmsDbm0(onHook)).toBeCloseTo(FSK_LEVEL_DBM0, 1);
      expect(onHook.length).toBe(Math.ceil(((300 + 180 + message.length * 10 + 10) * 20) / 3));
      expect(offHook.length).toBe(Math.ceil(((80 + message.length * 10 + 10) * 20) / 3));
      // The preamble of marks, with nothing of a space.
      const mark = onHook.subarray(2000 + 40, 3200 - 40);
      expect(goertzelDbm0(mark, markHz)).toBeCloseTo(FSK_LEVEL_DBM0, 1);
      expect(goertzelDbm0(offHook.subarray(0, 533), markHz)).toBeCloseTo(FSK_LEVEL_DBM0, 1);
    }
  });

  test("has a phase that never jumps: no step is greater than the steepest sine's", () => {
    const samples = fskSamples(
      Uint8Array.from({ length: 100 }, (_, i) => (i * 73) & 0xff),
      "bell202",
      "on_hook",
    );
    const amplitude = Math.max(...samples);
    const steepest = 2 * amplitude * Math.sin((Math.PI * 2200) / 8000) + 1;
    for (let i = 1; i < samples.length; i++)
      expect(Math.abs((samples[i] as number) - (samples[i - 1] as number))).toBeLessThanOrEqual(steepest);
  });

  test("fits between two bursts of ringing", () => {
    const longest = mdmfCaller({ time, number: "12345678901234567890", name: "Fifteen letters" });
    const samples = fskSamples(longest, "bell202", "on_hook");
    const neededMs = SENDING_WINDOW.afterBurstMs + samples.length / 8 + SENDING_WINDOW.beforeBurstMs;
    expect(neededMs).toBeGreaterThan(1000);
    expect(neededMs).toBeLessThanOrEqual(2000);
  });
});

describe("the alert", () => {
  test.each(["off_hook", "on_hook"] as const)(
    "%s: two tones, their level and length, and nothing else",
    (hook) => {
      const samples = alertSamples(hook);
      expect(samples.length).toBe(hook === "off_hook" ? 640 : 800);
      const middle = samples.subarray(16, -16);
      for (const hz of ALERT_HZ) expect(goertzelDbm0(middle, hz)).toBeCloseTo(-15, 0);
      for (const hz of [620, 1510, 3370]) expect(goertzelDbm0(middle, hz)).toBeLessThan(-60);
      expect(rmsDbm0(middle)).toBeCloseTo(-12, 0);
    },
  );
});

describe("DTMF", () => {
  test("is framed as the country has it", () => {
    const keys = (framing: "a_c" | "a_hash" | "d_c" | "hash") => [
      dtmfKeys(caller, framing),
      dtmfKeys({ time, absent: "private" }, framing),
      dtmfKeys({ time }, framing),
    ];
    expect(keys("a_c")).toEqual(["A12025550100C", "B10C", "B00C"]);
    expect(keys("a_hash")).toEqual(["A12025550100#", "D1#", "D3#"]);
    expect(keys("d_c")).toEqual(["D12025550100C", "", ""]);
    expect(keys("hash")).toEqual(["12025550100#", "", ""]);
    expect(() => dtmfKeys({ time, number: "x" }, "a_c")).toThrow(RangeError);
    expect(() => dtmfSamples("E")).toThrow(RangeError);
  });

  test("sounds each key for 70 ms", () => {
    const samples = dtmfSamples("D5");
    expect(samples.length).toBe(4 * 560);
    const [d, pause, five] = [0, 560, 1120].map((at) => samples.subarray(at + 8, at + 552)) as [
      Int16Array,
      Int16Array,
      Int16Array,
    ];
    expect(goertzelDbm0(d, 941)).toBeCloseTo(-11, 0);
    expect(goertzelDbm0(d, 1633)).toBeCloseTo(-9, 0);
    expect(goertzelDbm0(five, 770)).toBeCloseTo(-11, 0);
    expect(goertzelDbm0(five, 1336)).toBeCloseTo(-9, 0);
    expect(pause.every((value) => value === 0)).toBe(true);
  });
});

describe("the schemes", () => {
  test("every tone zone has one", () => {
    for (const zone of TONE_ZONES) expect(SCHEMES).toContain(callerIdScheme(zone));
    expect(callerIdScheme("us")).toBe("bell202");
    expect(callerIdScheme("de")).toBe("v23");
    expect(callerIdScheme("uk")).toBe("v23_before_ringing");
    expect(callerIdScheme("dk")).toBe("dtmf_a_hash");
  });

  test.each(SCHEMES)("%s gives samples, none of them clipped", (scheme) => {
    const samples = callerIdSamples(caller, scheme);
    expect(samples.length).toBeGreaterThan(4000);
    expect(Math.max(...samples)).toBeLessThan(25_000);
    expect(samples).toEqual(callerIdSamples(caller, scheme));
  });
});

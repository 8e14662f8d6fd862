/** Our tone table beside that of Debian's libtonezone, which DAHDI's own cards play from. */
import { describe, expect } from "bun:test";
import type { Cadence } from "../../src/audio/tone_notation";
import type { ToneSegment } from "../../src/audio/tone_plan";
import { type ToneName, toneZone, zoneTone } from "../../src/audio/tone_zones";
import { needs } from "../support/needs";
import { peerProgram, told } from "./peer";

const program = peerProgram("tone_zones", "tonezone", "/usr/include/dahdi/tonezone.h");
const testTonezone = needs(program !== null, "apt-get install libtonezone-dev");

/** Where we mean to differ, and why. Anything else that differs is an error of one of the two. */
const DIFFERENT: Record<string, string> = {
  "ar busy": "E.180: 0.3 on, 0.2 off",
  "ar ringback": "E.180: 1.0 on, 4.0 off",
  "ar reorder": "E.180: 0.3 on, 0.4 off",
  "au dial": "ACIF S002: 413 and 438 Hz, as its own ringback has them",
  "jp ringback": "modulated by 16 Hz, not with a tone of 15 Hz beside it",
  "tr reorder": "E.180 repeats all of it, not the last burst alone",
};

/** Its notation: [!]freq[+freq|*freq][@][/ms], a comma, and so on; !: once, @: softer. */
function cadence(text: string): Cadence {
  const parts = text.split(",");
  return {
    once: segments(parts.filter((part) => part.startsWith("!"))),
    segments: segments(parts.filter((part) => !part.startsWith("!"))),
  };
}

function segments(parts: readonly string[]): ToneSegment[] {
  return parts.map((part) => {
    const [, sound = "", ms] = /^!?([\d+*@]+?)(?:\/(\d+))?$/.exec(part) ?? [];
    const [carriers = "", modulation] = sound.replace("@", "").split("*");
    const frequenciesHz = carriers.split("+").map(Number);
    return {
      frequenciesHz: frequenciesHz[0] === 0 ? [] : frequenciesHz,
      ...(modulation === undefined ? {} : { modulationHz: Number(modulation) }),
      ...(sound.includes("@") ? { relativeDb: -10 } : {}),
      ms: ms === undefined ? null : Number(ms),
    };
  });
}

describe("the tone table", () => {
  testTonezone(
    "agrees with libtonezone in dial, busy, ringback and reorder, but for what is named here",
    async () => {
      const rows = (await told([program as string])).trim().split("\n");
      expect(rows.length).toBeGreaterThan(160);
      const differing: string[] = [];
      let compared = 0;
      for (const row of rows) {
        const [country = "", name = "", text = ""] = row.split("\t");
        if (country === "us-old") continue;
        const zone = toneZone(country);
        expect(`${country}: ${zone}`).not.toBe(`${country}: null`);
        compared++;
        const { once = [], segments: repeated } = zoneTone(zone as string, name as ToneName);
        if (!Bun.deepEquals({ once, segments: repeated }, cadence(text))) differing.push(`${zone} ${name}`);
      }
      expect(compared).toBeGreaterThan(160);
      expect(differing.sort()).toEqual(Object.keys(DIFFERENT).sort());
    },
  );
});

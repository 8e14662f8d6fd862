/**
 * Talk-off of the tones of call progress: talkoff.sh's hour of recorded speech, in which no zone's tone may be heard.
 * All zones' tones are listened for, since each has others. Prints TAP.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { progressTones } from "../../src/audio/call_progress";
import { TONE_ZONES } from "../../src/audio/tone_zones";

const root = join(import.meta.dir, "../..");
const speech = join(root, "build/corpus/speech.raw");
if (!existsSync(speech)) {
  console.log("ok 1 - talk-off of call progress # SKIP there is no speech: talkoff.sh fetches it\n1..1");
  process.exit(0);
}
/** Zones that sound the same are listened to once. */
const tables = new Map<string, string>();
for (const zone of TONE_ZONES) {
  const words = progressTones(zone).map(({ frequenciesHz, toleranceHz, cadenceMs, sureMs }, i) =>
    [
      i + 1,
      frequenciesHz.join("+"),
      toleranceHz,
      sureMs,
      ...(cadenceMs.length > 0 ? [cadenceMs.join(",")] : []),
    ].join(":"),
  );
  const key = words.join(" ");
  tables.set(key, [...(tables.get(key)?.split(" ") ?? []), zone].join(" "));
}
let failed = 0;
let number = 0;
const verdict = (good: boolean, text: string): void => {
  if (!good) failed++;
  console.log(`${good ? "ok" : "not ok"} ${++number} - ${text}`);
};
const seconds = Math.round(statSync(speech).size / 16_000);
verdict(seconds >= 3600, `there is an hour of speech: ${seconds} s`);
for (const [words, zones] of tables) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([
    join(root, "dist/progress-cli"),
    speech,
    ...words.split(" "),
  ]);
  const heard = stdout.toString().trim();
  verdict(exitCode === 0 && heard === "", `no tone is heard in it: ${zones}`);
  for (const line of `${heard}${stderr}`.split("\n").filter(Boolean)) console.log(`# ${line}`);
}
console.log(`1..${number}`);
process.exit(failed > 0 ? 1 : 0);

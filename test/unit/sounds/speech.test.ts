import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PcmSource } from "../../../src/audio/source";
import { parsedVoices } from "../../../src/sounds/espeak";
import { samplesOf } from "../../../src/sounds/samples";
import { SoundError } from "../../../src/sounds/sound_error";
import type { SpeechRequest } from "../../../src/sounds/sound_reference";
import { Speech, type SpeechOptions } from "../../../src/sounds/speech";
import { needs } from "../../support/needs";
import { eventually } from "../../support/server";

const folder = mkdtempSync(join(tmpdir(), "dahdi-speech-"));
afterAll(() => rmSync(folder, { recursive: true }));
const never = new AbortController().signal;

const ABSENT = join(folder, "absent");
const options = (more: Partial<SpeechOptions> = {}): SpeechOptions => ({
  engine: "auto",
  espeakNg: null,
  piper: ABSENT,
  piperModel: null,
  voice: null,
  timeoutMs: 60_000,
  ...more,
});
const say = (speech: Speech, request: SpeechRequest, signal = never): Promise<PcmSource> =>
  speech.open(request, { signal, loudnessDbm0: null });
async function heard(source: PcmSource): Promise<Int16Array> {
  const samples: number[] = [];
  for await (const piece of samplesOf(source, never, new Int16Array(4000))) samples.push(...piece);
  return Int16Array.from(samples);
}
async function refusal(opening: Promise<PcmSource>): Promise<string> {
  return await opening.then(
    () => "opened",
    (error: unknown) => {
      if (!(error instanceof SoundError)) throw error;
      return error.code;
    },
  );
}
const seconds = (samples: Int16Array): number => samples.length / 8000;

const espeak = needs(Bun.which("espeak-ng") !== null, "apt-get install espeak-ng");

/** What no text may do: reach a shell, or be taken for an option. */
const HOSTILE = [
  `$(touch ${folder}/pwned)`,
  `; touch ${folder}/pwned #`,
  `\`touch ${folder}/pwned\``,
  "--help",
  "-f /etc/passwd",
  `-w ${folder}/pwned`,
  "--version\n--voices",
  `<speak><audio src="${folder}/pwned"/>hello</speak>`,
  "[[h@l'oU]] %s %n",
];

describe("espeak-ng", () => {
  espeak("speaks, slower or faster, in the language that is asked for", async () => {
    const speech = new Speech(options());
    const normal = await heard(await say(speech, { say: "Good morning, this is a test." }));
    expect(seconds(normal)).toBeWithin(1, 4);
    expect(Math.max(...normal)).toBeGreaterThan(3000);
    const slow = await heard(await say(speech, { say: "Good morning, this is a test.", rate: 0.5 }));
    expect(slow.length).toBeGreaterThan(1.5 * normal.length);
    const german = await heard(await say(speech, { say: "Good morning, this is a test.", language: "de" }));
    expect(german.length).not.toBe(normal.length);
    expect(await heard(await say(speech, { say: "x", voice: "en-us+f3" }))).not.toBeEmpty();
    // Nothing of a text is kept, nor of its programs.
    expect(await heard(await say(speech, { say: "Good morning, this is a test." }))).toEqual(normal);
  });

  espeak("says words, whatever they are", async () => {
    const speech = new Speech(options());
    for (const text of HOSTILE)
      expect(seconds(await heard(await say(speech, { say: text })))).toBeGreaterThan(0.2);
    expect(existsSync(join(folder, "pwned"))).toBe(false);
    // "--help" as an option would print to nobody; as a text it is one word.
    const help = await heard(await say(speech, { say: "--help" }));
    expect(seconds(help)).toBeWithin(0.2, 2);
  });

  espeak("refuses voices that it does not have, and what is none", async () => {
    const speech = new Speech(options());
    for (const voice of ["nosuch", "--help", "-f", "../../etc/passwd", "en;id", "en +f1", "+f3"]) {
      expect(`${voice} ${await refusal(say(speech, { say: "x", voice }))}`).toBe(`${voice} unknown_voice`);
    }
    for (const text of ["", " \n\t", "a\0b", "\u001b[31m", "x".repeat(3001)]) {
      expect(await refusal(say(speech, { say: text }))).toBe("unsayable_text");
    }
  });

  espeak("speaks two texts at once, not three", async () => {
    const speech = new Speech(options());
    const slow = join(folder, "espeak-slow");
    writeFileSync(
      slow,
      `#!/bin/sh\ncase "$*" in *--voices*) exec espeak-ng --voices;; esac\ncat >/dev/null\necho $$ >>${folder}/slow-pids\nexec sleep 60\n`,
    );
    chmodSync(slow, 0o755);
    const busy = new Speech(options({ espeakNg: slow }));
    const gone = new AbortController();
    const two = [say(busy, { say: "a" }, gone.signal), say(busy, { say: "b" }, gone.signal)].map(refusal);
    await eventually(
      () => refusal(say(busy, { say: "c" }, AbortSignal.timeout(50))),
      (code) => code === "too_many_sounds",
    );
    // Where memory runs out, they go before us.
    const pids = await eventually(
      () =>
        existsSync(`${folder}/slow-pids`) ? readFileSync(`${folder}/slow-pids`, "utf8").trim().split("\n") : [],
      ({ length }) => length === 2,
    );
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8")).toBe("500\n");
    gone.abort();
    expect(await Promise.all(two)).toEqual(["cancelled", "cancelled"]);
    // Their programs were ended, so there is room again.
    await eventually(
      () => refusal(say(busy, { say: "c" }, AbortSignal.timeout(50))),
      (code) => code === "cancelled",
    );
    expect(await refusal(say(speech, { say: "d" }))).toBe("opened");
  });

  test("its table of voices", () => {
    const { voices, languages } = parsedVoices(
      "Pty Language       Age/Gender VoiceName          File                 Other Languages\n" +
        " 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)\n" +
        " 5  yue             --/M      Chinese_(Cantonese) sit/yue              (zh-yue 5)(zh 8)\n",
    );
    expect(voices[0]).toEqual({ voice: "en-gb", language: "en-gb", name: "English (Great Britain)" });
    expect([...languages]).toEqual(["en-gb", "en", "yue", "zh-yue", "zh"]);
  });
});

const TABLE =
  "Pty Language       Age/Gender VoiceName          File\n" +
  " 2  en-gb           --/M      English_(Great_Britain) gmw/en               (en 2)";

/** One that nobody has waited for yet is over as well. */
function isRunning(pid: string): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z");
  } catch {
    return false;
  }
}

/** A program that is called espeak-ng and behaves badly. */
function badEspeak(name: string, { voices = `echo "${TABLE}"`, speak = "exit 3" }): string {
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\ncase "$*" in *--voices*) ${voices}; exit;; esac\n${speak}\n`);
  chmodSync(program, 0o755);
  return program;
}

describe("an engine that behaves badly", () => {
  const told = async (program: string): Promise<string> =>
    await say(new Speech(options({ espeakNg: program })), { say: "x" }).then(
      () => "opened",
      (error: SoundError) => `${error.code} ${error.message}`,
    );

  test("is told by its name and what became of it, without a path", async () => {
    for (const [name, speak, why] of [
      ["dies", "exit 3", "it ended with 3"],
      ["crashes", "kill -SEGV $$", "it ended with SIGSEGV"],
      ["silent", "exit 0", "what it says is no sound"],
      ["chatty", "yes 'this is no sound but a text' | head -c 20000", "what it says is no sound"],
    ] as const) {
      const message = await told(badEspeak(name, { speak }));
      expect(message).toStartWith(`speech_failed espeak-ng failed (${why})`);
      expect(message).not.toContain("/");
    }
  });

  test("whose voices cannot be had has not none for ever: it is asked again", async () => {
    for (const voices of ["exit 1", "true", `echo "${TABLE}"; exit 1`]) {
      const speech = new Speech(options({ espeakNg: badEspeak("moody", { voices }) }));
      expect(await refusal(say(speech, { say: "x" }))).toBe("speech_failed");
      badEspeak("moody", {});
      expect(await speech.voices()).toMatchObject([{ voices: [{ voice: "en-gb" }] }]);
    }
  });

  test("whose table of voices has no end is ended, and little of it kept", async () => {
    const program = badEspeak("endless", {
      voices: `echo $$ >${folder}/endless-pid; yes "${TABLE}" | head -c 20000000`,
    });
    expect(await told(program)).toContain("its table of voices has no end");
    const pid = readFileSync(`${folder}/endless-pid`, "utf8").trim();
    await eventually(
      () => isRunning(pid),
      (running) => !running,
    );
  });

  test("that starts another program is ended with it", async () => {
    const wait = `sleep 600 & echo $! >${folder}/child-pid; wait`;
    const speech = new Speech(options({ espeakNg: badEspeak("script", { speak: wait }), timeoutMs: 300 }));
    expect(await refusal(say(speech, { say: "x" }))).toBe("source_timeout");
    const pid = readFileSync(`${folder}/child-pid`, "utf8").trim();
    await eventually(
      () => isRunning(pid),
      (running) => !running,
    );
  });
});

/** Speaks piper's command line: notes what it was told, and hums for a second for each line of text. */
function fakePiper(name: string, script = "") {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true });
  const program = join(home, "piper");
  const speaker = `
    const options = process.argv.slice(2);
    const text = await Bun.stdin.text();
    await Bun.write(${JSON.stringify(join(home, "told.json"))}, JSON.stringify({ options, text }));
    ${script}
    const hum = Int16Array.from({ length: 16000 }, (_, i) => 9000 * Math.sin(i * 2 * Math.PI * 500 / 16000));
    for (const line of text.trim().split("\\n")) process.stdout.write(new Uint8Array(hum.buffer));
  `;
  writeFileSync(join(home, "speaker.ts"), speaker);
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(home, "speaker.ts")}" "$@"\n`);
  chmodSync(program, 0o755);
  for (const [voice, code] of [
    ["en_GB-alba-medium", "en_GB"],
    ["de_DE-eva-low", "de_DE"],
  ] as const) {
    writeFileSync(join(home, `${voice}.onnx`), "model");
    writeFileSync(
      join(home, `${voice}.onnx.json`),
      JSON.stringify({
        audio: { sample_rate: 16000 },
        language: { code, name_english: code.startsWith("en") ? "English" : "German" },
      }),
    );
  }
  writeFileSync(join(home, "broken.onnx"), "model without its description");
  return {
    settings: options({ piper: program, piperModel: join(home, "en_GB-alba-medium.onnx"), espeakNg: ABSENT }),
    told: () => JSON.parse(readFileSync(join(home, "told.json"), "utf8")) as { options: string[]; text: string },
    model: (voice: string) => join(home, `${voice}.onnx`),
  };
}

describe("piper", () => {
  test("is told the voice's file, and the text by its standard input", async () => {
    const { settings, told, model } = fakePiper("plain");
    const speech = new Speech(settings);
    const samples = await heard(await say(speech, { say: "Hello\n  there", rate: 2 }));
    expect(seconds(samples)).toBeCloseTo(1, 1);
    expect(told()).toEqual({
      options: ["--model", model("en_GB-alba-medium"), "--output-raw", "--length-scale", "0.50"],
      text: "Hello there\n",
    });
    await heard(await say(speech, { say: "Hallo", language: "de" }));
    expect(told().options[1]).toBe(model("de_DE-eva-low"));
    await heard(await say(speech, { say: "Hallo", voice: "de_DE-eva-low" }));
    expect(told().options[1]).toBe(model("de_DE-eva-low"));
    expect(await speech.voices()).toEqual([
      {
        engine: "piper",
        voices: [
          { voice: "de_DE-eva-low", language: "de_DE", name: "German" },
          { voice: "en_GB-alba-medium", language: "en_GB", name: "English" },
        ],
      },
    ]);
  });

  test("is told nothing else, whatever the text", async () => {
    const { settings, told } = fakePiper("hostile");
    const speech = new Speech(settings);
    for (const text of HOSTILE) {
      await heard(await say(speech, { say: text }));
      expect(told().options.length).toBe(5);
      expect(told().text).toBe(`${text.replaceAll(/\s+/g, " ")}\n`);
    }
    for (const voice of ["../plain/en_GB-alba-medium", "broken", "--help", ""]) {
      expect(await refusal(say(speech, { say: "x", voice }))).toBe("unknown_voice");
    }
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  test("is heard before all of it is made, and ended when nobody hears it any more", async () => {
    const { settings } = fakePiper(
      "slow",
      `process.stdout.write(new Uint8Array(32000)); await Bun.sleep(60_000);`,
    );
    const speech = new Speech(settings);
    const one = await say(speech, { say: "x" });
    const two = await say(speech, { say: "x" });
    expect(one.read(new Int16Array(100))).not.toBe(0);
    expect(await refusal(say(speech, { say: "x" }))).toBe("too_many_sounds");
    one.close?.();
    two.close?.();
    const three = await eventually(
      () => say(speech, { say: "x" }).catch(() => null),
      (source) => source !== null,
    );
    three?.close?.();
  });

  test("that fails or takes too long says so", async () => {
    expect(await refusal(say(new Speech(fakePiper("failing", "process.exit(3);").settings), { say: "x" }))).toBe(
      "speech_failed",
    );
    const stuck = fakePiper("stuck", "await Bun.sleep(60_000);").settings;
    expect(await refusal(say(new Speech({ ...stuck, timeoutMs: 200 }), { say: "x" }))).toBe("source_timeout");
    const lost = { ...stuck, piperModel: join(folder, "nowhere", "en.onnx") };
    expect(await refusal(say(new Speech(lost), { say: "x" }))).toBe("speech_failed");
  });
});

test("without a program that speaks it is said how to get one", async () => {
  const speech = new Speech(options({ espeakNg: ABSENT }));
  const told = async (engine?: string) =>
    await say(speech, { say: "x", ...(engine === undefined ? {} : { engine }) }).catch(
      (error: SoundError) => `${error.code} ${error.message}`,
    );
  expect(await told()).toBe(
    "no_speech_engine No program that speaks is installed: sudo apt-get install espeak-ng",
  );
  expect(await told("piper")).toContain("speech.piper_model");
  expect(await speech.voices()).toEqual([]);
});

/** Piper: a neural voice; each is a file of its own, NAME.onnx with NAME.onnx.json beside it. */
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { wavHeader } from "../audio/wav_header";
import { SoundError } from "./sound_error";
import type { SpeechRequest } from "./sound_reference";
import type { SpeechCommand, SpeechEngine, Voice } from "./speech_engine";

const MODEL = ".onnx";

interface Model extends Voice {
  rateHz: number;
}

export class Piper implements SpeechEngine {
  readonly name = "piper";

  constructor(
    readonly program: string,
    /** The voice where none is asked for; the others lie beside it. */
    private readonly model: string,
  ) {}

  /** Those that can be used: whose description can be read. */
  async voices(): Promise<readonly Model[]> {
    const files = await readdir(dirname(this.model)).catch((error: NodeJS.ErrnoException) => {
      const detail = `piper finds no voice (speech.piper_model: ${error.code}): see dahdi-phone-api doctor.`;
      throw new SoundError("speech_failed", detail);
    });
    const names = files.filter((name) => name.endsWith(MODEL)).sort();
    const models = await Promise.all(names.map((name) => this.#described(name).catch(() => null)));
    return models.filter((model) => model !== null);
  }

  async command({ say, voice, language, rate = 1 }: SpeechRequest): Promise<SpeechCommand> {
    const own = basename(this.model, MODEL);
    const voices = (await this.voices()).toSorted((a, b) => Number(b.voice === own) - Number(a.voice === own));
    const chosen = voices.find((each) =>
      voice !== undefined
        ? each.voice === voice
        : language === undefined || plain(each.language).startsWith(plain(language)),
    );
    if (!chosen) {
      throw new SoundError("unknown_voice", "piper has no such voice: GET /speech/voices lists them.");
    }
    const path = join(dirname(this.model), chosen.voice + MODEL);
    return {
      command: [this.program, "--model", path, "--output-raw", "--length-scale", (1 / rate).toFixed(2)],
      // Each line is spoken as an utterance of its own.
      input: `${say.replaceAll(/\s+/g, " ").trim()}\n`,
      header: wavHeader(1, chosen.rateHz, 0),
    };
  }

  async #described(file: string): Promise<Model> {
    const text = await readFile(join(dirname(this.model), `${file}.json`), "utf8");
    const described = JSON.parse(text) as {
      audio: { sample_rate: number };
      language?: { code?: string; name_english?: string };
    };
    const voice = basename(file, MODEL);
    const language = described.language?.code ?? voice.split("-")[0] ?? "";
    const rateHz = Number(described.audio.sample_rate);
    if (!(rateHz >= 4000 && rateHz <= 192_000)) throw new Error("its sample rate makes no sense");
    return { voice, language, name: described.language?.name_english ?? voice, rateHz };
  }
}

const plain = (language: string): string => language.toLowerCase().replaceAll("_", "-");

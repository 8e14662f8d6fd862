/** Text, spoken by a program of this machine while it is heard. */
import { AudioError } from "../audio/error";
import type { PcmSource } from "../audio/source";
import { Espeak } from "./espeak";
import { type OpenOptions, opened } from "./opened";
import { Piper } from "./piper";
import { SoundError } from "./sound_error";
import type { SpeechRequest } from "./sound_reference";
import type { SpeechEngine, Voice } from "./speech_engine";
import { endOf, endSpeaking, speechFailed, spoken, startSpeaking, tableOf } from "./speech_process";

export const ENGINES = ["espeak-ng", "piper"] as const;
export type EngineName = (typeof ENGINES)[number];

export interface SpeechOptions {
  engine: "auto" | EngineName;
  /** Paths; null: found in PATH. */
  espeakNg: string | null;
  piper: string | null;
  /** A voice's file, NAME.onnx; null: piper cannot be used. */
  piperModel: string | null;
  /** Of espeak-ng, where none is asked for; null: English. */
  voice: string | null;
  /** An engine that takes longer for one text is ended. */
  timeoutMs: number;
}

export const MAX_TEXT_CHARACTERS = 3000;
export const MIN_RATE = 0.5;
export const MAX_RATE = 2;
export const ESPEAK_FIX = "sudo apt-get install espeak-ng";

/** Each takes a core while it speaks. */
const MAX_AT_ONCE = 2;
/** More than the longest text makes, so that an engine is done, and makes place, long before its last word is heard. */
const AHEAD_BYTES = 32 * 1024 * 1024;
/** What is reckoned with: 22 kHz, 16 bit, ten letters a second. */
const BYTES_PER_CHARACTER = 4410;

export class Speech {
  #speaking = 0;
  readonly #espeaks = new Map<string, Espeak>();

  constructor(private readonly options: SpeechOptions) {}

  /** Those installed, the preferred one first. Looked for each time: installing one needs no restart. */
  engines(): SpeechEngine[] {
    const { engine, piperModel, voice } = this.options;
    const engines: SpeechEngine[] = [];
    const piper = Bun.which(this.options.piper ?? "piper");
    if (piper !== null && piperModel !== null) engines.push(new Piper(piper, piperModel));
    const espeak = Bun.which(this.options.espeakNg ?? "espeak-ng");
    if (espeak !== null) {
      const known =
        this.#espeaks.get(espeak) ?? new Espeak(espeak, voice, (command) => tableOf("espeak-ng", command));
      this.#espeaks.set(espeak, known);
      engines.push(known);
    }
    return engine === "auto" ? engines : engines.filter(({ name }) => name === engine);
  }

  async voices(): Promise<{ engine: EngineName; voices: readonly Voice[] }[]> {
    return await Promise.all(
      this.engines().map(async (engine) => ({
        engine: engine.name,
        voices: (await engine.voices()).map(({ voice, language, name }) => ({ voice, language, name })),
      })),
    );
  }

  /** Settles when the first of it can be heard. Throws SoundError. */
  async open(request: SpeechRequest, open: OpenOptions): Promise<PcmSource> {
    checkText(request.say);
    const engine = this.engines().find(({ name }) => request.engine === undefined || name === request.engine);
    if (!engine) throw this.#missing(request.engine);
    const { command, input, header } = await engine.command(request);
    if (this.#speaking >= MAX_AT_ONCE) {
      throw new SoundError("too_many_sounds", `${MAX_AT_ONCE} texts are being spoken: try again in a moment.`);
    }
    const child = startSpeaking(engine.name, command, input);
    this.#speaking++;
    const { timeoutMs } = this.options;
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      endSpeaking(child);
    }, timeoutMs);
    void child.exited.then(() => {
      clearTimeout(timer);
      this.#speaking--;
    });
    const tooLong = (): SoundError => {
      const message = `${engine.name} took longer than ${timeoutMs / 1000} s (speech.timeout_seconds): say less at once.`;
      return new SoundError("source_timeout", message);
    };
    const failed = (): SoundError => (isLate ? tooLong() : speechFailed(engine.name, endOf(child)));
    const spends = `it says more than ${MAX_TEXT_CHARACTERS} characters can be`;
    try {
      return await opened(spoken(child, header, failed), null, open, {
        aheadBytes: AHEAD_BYTES,
        heldBytes: Math.min(AHEAD_BYTES, (request.say.length * BYTES_PER_CHARACTER) / (request.rate ?? 1)),
        stallMs: timeoutMs,
        maxBytes: 4 * AHEAD_BYTES,
        stalled: tooLong,
        tooLarge: () => speechFailed(engine.name, spends),
        stop: () => endSpeaking(child),
      });
    } catch (error) {
      // Nobody sent a file that could be wrong.
      throw error instanceof AudioError ? speechFailed(engine.name, "what it says is no sound") : error;
    }
  }

  #missing(asked: string | undefined): SoundError {
    const { engine } = this.options;
    const wanted = asked ?? engine;
    const missing =
      wanted === "piper" || wanted === "espeak-ng" ? `${wanted} is not` : "No program that speaks is";
    const fix =
      wanted === "piper" ? "put it into PATH, and name a voice's file by speech.piper_model" : ESPEAK_FIX;
    return new SoundError("no_speech_engine", `${missing} installed: ${fix}`);
  }
}

/** What no voice can say: control characters but tabs and the ends of lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAYABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

function checkText(text: string): void {
  const unsayable = (why: string): SoundError =>
    new SoundError("unsayable_text", `This text cannot be said: ${why}.`);
  if (text.trim() === "") throw unsayable("there is no word in it");
  if (text.length > MAX_TEXT_CHARACTERS) throw unsayable(`it is longer than ${MAX_TEXT_CHARACTERS} characters`);
  if (UNSAYABLE.test(text)) throw unsayable("it holds control characters");
}

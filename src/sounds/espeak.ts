/** eSpeak NG: small, quick, a hundred languages, the voice of a machine. */
import { SoundError } from "./sound_error";
import type { SpeechRequest } from "./sound_reference";
import type { SpeechCommand, SpeechEngine, Voice } from "./speech_engine";

const WORDS_PER_MINUTE = 160; /* a telephone's band takes away what makes faster speech clear */
const DEFAULT_VOICE = "en";
/** A language, and how it is spoken: de+f3. */
const VOICE = /^([a-z0-9][a-z0-9-]{0,31})(\+[a-z0-9_-]{1,32})?$/i;
const ROW = /^ *\d+ +(\S+) +\S+ +(\S+) +\S+ *(.*)$/;

export class Espeak implements SpeechEngine {
  readonly name = "espeak-ng";
  #listed: Promise<{ voices: Voice[]; languages: Set<string> }> | null = null;

  constructor(
    readonly program: string,
    /** Of the configuration; null: none. */
    private readonly defaultVoice: string | null,
    /** What a program writes to its standard output. */
    private readonly output: (command: string[]) => Promise<string>,
  ) {}

  async voices(): Promise<readonly Voice[]> {
    return (await this.#list()).voices;
  }

  async command({ say, voice, language, rate = 1 }: SpeechRequest): Promise<SpeechCommand> {
    const wanted = voice ?? language ?? this.defaultVoice ?? DEFAULT_VOICE;
    const base = VOICE.exec(wanted)?.[1]?.toLowerCase();
    const { languages } = await this.#list();
    if (base === undefined || !languages.has(base)) {
      throw new SoundError("unknown_voice", "espeak-ng has no such voice: GET /speech/voices lists them.");
    }
    const speed = String(Math.round(WORDS_PER_MINUTE * rate));
    const options = ["-b", "1", "-v", wanted.toLowerCase(), "-s", speed, "--stdin", "--stdout"];
    return { command: [this.program, ...options], input: say, header: null };
  }

  #list(): Promise<{ voices: Voice[]; languages: Set<string> }> {
    this.#listed ??= this.output([this.program, "--voices"]).then((table) => {
      const parsed = parsedVoices(table);
      if (parsed.languages.size > 0) return parsed;
      const detail = "espeak-ng names no voices: run espeak-ng --voices on the machine, and see what it says.";
      throw new SoundError("speech_failed", detail);
    });
    this.#listed.catch(() => {
      this.#listed = null;
    });
    return this.#listed;
  }
}

export function parsedVoices(table: string): { voices: Voice[]; languages: Set<string> } {
  const voices: Voice[] = [];
  const languages = new Set<string>();
  for (const line of table.split("\n")) {
    const [, language, name, others] = ROW.exec(line) ?? [];
    if (language === undefined || name === undefined) continue;
    voices.push({ voice: language.toLowerCase(), language, name: name.replaceAll("_", " ") });
    languages.add(language.toLowerCase());
    // "en" is spoken by the voice of en-gb, and so are those that it lists besides.
    languages.add((language.split("-")[0] as string).toLowerCase());
    for (const [, other] of others?.matchAll(/\(([\w-]+) \d+\)/g) ?? [])
      languages.add((other as string).toLowerCase());
  }
  return { voices, languages };
}

/** Sounds by where they come from, as JSON. */
import { type Static, Type } from "@sinclair/typebox";
import type { PcmSource } from "../audio/source";
import { TONE_NAMES } from "../audio/tone_zones";
import { PROMPT_NAME } from "../sounds/prompts";
import type { SoundReference, SpeechRequest } from "../sounds/sound_reference";
import { ENGINES, MAX_RATE, MAX_TEXT_CHARACTERS, MIN_RATE } from "../sounds/speech";
import type { Call } from "./endpoint";
import { Problem } from "./problem";
import { PlayQuery } from "./schema_playback";

const closed = { additionalProperties: false } as const;
const MAX_URL_CHARACTERS = 2048;

const words = (description: string) =>
  Type.String({ minLength: 1, maxLength: MAX_TEXT_CHARACTERS, description, examples: ["Your tea is ready."] });

const VOICE = {
  voice: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "Of GET /speech/voices; omitted: the language's" }),
  ),
  language: Type.Optional(
    Type.String({
      minLength: 2,
      maxLength: 32,
      description: "Omitted: that of the configuration",
      examples: ["en"],
    }),
  ),
  rate: Type.Optional(
    Type.Number({ minimum: MIN_RATE, maximum: MAX_RATE, description: "How fast; omitted: 1", examples: [1] }),
  ),
  engine: Type.Optional(
    Type.Union(
      ENGINES.map((name) => Type.Literal(name)),
      { description: "Omitted: speech.engine of the configuration" },
    ),
  ),
};

export const SoundReferenceInput = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        maxLength: MAX_URL_CHARACTERS,
        description: "Fetched while it is heard",
        examples: ["https://example.com/hello.mp3"],
      }),
    ),
    prompt: Type.Optional(
      Type.String({ pattern: PROMPT_NAME.source, description: "Of GET /prompts", examples: ["welcome"] }),
    ),
    say: Type.Optional(words("Spoken by a program of this machine")),
    tone: Type.Optional(Type.String({ description: `For 5 s: ${TONE_NAMES.join(", ")}`, examples: ["busy"] })),
    ...VOICE,
  },
  closed,
);

export const PlayInput = Type.Composite([SoundReferenceInput, PlayQuery], closed);
export const TextInput = Type.Object({ text: words("Words, no markup: up to 3000 characters"), ...VOICE }, closed);
export const SayInput = Type.Composite([TextInput, PlayQuery], closed);

type Named = Static<typeof SoundReferenceInput>;

/** What of the input says how to speak. */
export function speechRequest(say: string, { voice, language, rate, engine }: Named): SpeechRequest {
  return {
    say,
    ...(voice === undefined ? {} : { voice }),
    ...(language === undefined ? {} : { language }),
    ...(rate === undefined ? {} : { rate }),
    ...(engine === undefined ? {} : { engine }),
  };
}

/** Throws Problem where it is none, or more than one. */
export function soundReference(input: Named): SoundReference {
  const { url, prompt, say, tone } = input;
  const given = [url, prompt, say, tone].filter((each) => each !== undefined);
  if (given.length !== 1) {
    const message = "give exactly one of url, prompt, say and tone";
    throw new Problem(422, "invalid_input", `${message}.`, { errors: [{ field: "url", message }] });
  }
  const stray = (["voice", "language", "rate", "engine"] as const).find((key) => input[key] !== undefined);
  if (say === undefined && stray !== undefined) {
    const message = "goes with say";
    throw new Problem(422, "invalid_input", `${stray} ${message}.`, { errors: [{ field: stray, message }] });
  }
  if (url !== undefined) return { url };
  if (prompt !== undefined) return { prompt };
  if (tone !== undefined) return { tone };
  return speechRequest(say as string, input);
}

/** Given up when the client goes. */
export async function namedSound(call: Call, input: Named, loudnessDbm0: number | null): Promise<PcmSource> {
  const reference = soundReference(input);
  call.keepOpen();
  return await call.dependencies.sounds.open(reference, { signal: call.request.signal, loudnessDbm0 });
}

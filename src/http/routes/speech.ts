/** Text, spoken. */
import { Type } from "@sinclair/typebox";
import { wholeSound } from "../../sounds/whole_sound";
import type { Endpoint } from "../endpoint";
import { jsonInput } from "../input";
import { PlayAnswer } from "../schema";
import { SayInput, speechRequest, TextInput } from "../schema_sounds";
import { playAnswer } from "./sound";

const VoicesAnswer = Type.Object({
  engines: Type.Array(
    Type.Object({
      engine: Type.String({ examples: ["espeak-ng"] }),
      voices: Type.Array(
        Type.Object({
          voice: Type.String({ examples: ["de"] }),
          language: Type.String({ examples: ["de"] }),
          name: Type.String({ examples: ["German"] }),
        }),
      ),
    }),
    { description: "Those installed, the preferred one first" },
  ),
});

const PROBLEMS = [400, 415, 422, 429, 501, 503, 504];

export const SPEECH_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "POST",
    path: "/say",
    scope: "line",
    tag: "Sound",
    summary: "Speak a text to the ear",
    description:
      "By espeak-ng or piper, as installed on this machine; it begins before all of it is made. Two texts at once, 429 " +
      "beyond. Otherwise as POST /play-audio.",
    body: SayInput,
    example: { text: "Your tea is ready.", when: "off_hook" },
    answer: PlayAnswer,
    problems: [...PROBLEMS, 409],
    handle: async (call) => {
      const input = await jsonInput(SayInput, call.request, call.query);
      const loudnessDbm0 = input.loudness_dbm0 ?? null;
      call.keepOpen();
      const { signal } = call.request;
      const source = await call.dependencies.sounds.open(speechRequest(input.text, input), {
        signal,
        loudnessDbm0,
      });
      return await playAnswer(call, { source, upload: null }, input);
    },
  },
  {
    method: "POST",
    path: "/generate-tts",
    scope: "server",
    tag: "Sound",
    summary: "Speak a text into a file",
    description:
      "WAV, 8 kHz, 16 bit, mono: what POST /say would let the telephone hear. The text as JSON or in the query.",
    body: TextInput,
    example: { text: "Your tea is ready." },
    answer: { mediaType: "audio/wav" },
    problems: PROBLEMS,
    handle: async (call) => {
      const input = await jsonInput(TextInput, call.request, call.query);
      call.keepOpen();
      const { signal } = call.request;
      const source = await call.dependencies.sounds.open(speechRequest(input.text, input), { signal });
      return new Response(await wholeSound(source, signal), { headers: { "content-type": "audio/wav" } });
    },
  },
  {
    method: "GET",
    path: "/speech/voices",
    scope: "server",
    tag: "Sound",
    summary: "What can speak here, and how",
    answer: VoicesAnswer,
    problems: [503],
    handle: async ({ dependencies: { speech } }) => ({ engines: await speech.voices() }),
  },
];

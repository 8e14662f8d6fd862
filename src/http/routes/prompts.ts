/** Sounds kept under a name. */
import { Type } from "@sinclair/typebox";
import { FORMATS_TEXT } from "../../audio/open";
import type { PcmSource } from "../../audio/source";
import { timestamp } from "../../events/published";
import type { Prompt } from "../../sounds/prompts";
import { fileAnswer } from "../byte_range";
import type { Call, Endpoint } from "../endpoint";
import { parsedInput } from "../input";
import { namedSound, SoundReferenceInput } from "../schema_sounds";
import { soundBody } from "../sound_body";
import { openUpload } from "./sound";

const PromptAnswer = Type.Object({
  name: Type.String({ examples: ["welcome"] }),
  duration_ms: Type.Integer({ examples: [2000] }),
  bytes: Type.Integer({ description: "Of the WAV file", examples: [32_044] }),
  changed: Type.String({ examples: ["2026-01-29T12:00:00.000Z"] }),
});

const shown = ({ name, durationMs, bytes, changedAtMs }: Prompt) => ({
  name,
  duration_ms: durationMs,
  bytes,
  changed: timestamp(Math.round(changedAtMs)),
});

async function promptSource(call: Call): Promise<PcmSource> {
  const { json, upload } = await soundBody(call);
  if (upload) return await openUpload(upload, null);
  return await namedSound(call, parsedInput(SoundReferenceInput, json, {}), null);
}

const ofStore = { scope: "server", tag: "Prompts" } as const;

const upload: Omit<Endpoint, "method"> = {
  ...ofStore,
  path: "/prompts/:prompt",
  summary: "Keep a sound under a name",
  description:
    `${FORMATS_TEXT}, or JSON that names a sound (a url, a text to say): all of it is decoded, and kept as 8 kHz WAV, ` +
    "what the telephone hears. It takes the place of the prompt of that name when it is whole and on the disk, not before; " +
    "what is being played of the old one is played to its end.",
  body: "sound",
  named: SoundReferenceInput,
  example: { tone: "busy" },
  answer: PromptAnswer,
  problems: [400, 404, 413, 415, 422, 429, 501, 503, 504, 507],
  handle: async (call) => {
    const source = await promptSource(call);
    return shown(await call.dependencies.prompts.save(call.params.prompt ?? "", source, call.request.signal));
  },
};

export const PROMPT_ENDPOINTS: readonly Endpoint[] = [
  {
    ...ofStore,
    method: "GET",
    path: "/prompts",
    summary: "All prompts, by name",
    answer: Type.Object({ prompts: Type.Array(PromptAnswer) }),
    problems: [503],
    handle: async ({ dependencies: { prompts } }) => ({ prompts: (await prompts.list()).map(shown) }),
  },
  { ...upload, method: "PUT" },
  { ...upload, method: "POST", summary: "The same, for clients that cannot PUT" },
  {
    ...ofStore,
    method: "GET",
    path: "/prompts/:prompt",
    summary: "Its sound",
    description: "WAV, 8 kHz, 16 bit, mono. Ranges are answered.",
    answer: { mediaType: "audio/wav" },
    problems: [404, 416, 503],
    handle: async ({ request, params, dependencies: { prompts } }) => {
      const { name, bytes, changedAtMs } = await prompts.get(params.prompt ?? "");
      const file = Bun.file(await prompts.soundPath(name));
      const etag = `"${bytes.toString(36)}-${Math.round(changedAtMs * 1000).toString(36)}"`;
      return fileAnswer(request, file, { etag, mediaType: "audio/wav", name: `${name}.wav` });
    },
  },
  {
    ...ofStore,
    method: "GET",
    path: "/prompts/:prompt/metadata",
    summary: "What is known of it",
    answer: PromptAnswer,
    problems: [404, 503],
    handle: async ({ params, dependencies: { prompts } }) => shown(await prompts.get(params.prompt ?? "")),
  },
  {
    ...ofStore,
    method: "DELETE",
    path: "/prompts/:prompt",
    summary: "Delete a prompt",
    description: "What is being played of it is played to its end.",
    answer: { mediaType: "application/json" },
    success: 204,
    problems: [404, 503],
    handle: async ({ params, dependencies: { prompts } }) => {
      await prompts.delete(params.prompt ?? "");
      return new Response(null, { status: 204 });
    },
  },
];

/** Sound into the telephone. */
import { openAudio } from "../../audio/open";
import type { PcmSource } from "../../audio/source";
import type { Call, Endpoint } from "../endpoint";
import { queryInput, readBody } from "../input";
import { Problem } from "../problem";
import { PlayAnswer, PlayQuery } from "../schema";

/** Raw, WAV, or one file of a form as `curl -F` sends it. */
export async function soundInput({ request, dependencies }: Call): Promise<PcmSource> {
  const bytes = await readBody(request, dependencies.limits.maxBodyBytes);
  const type = request.headers.get("content-type") ?? "";
  if (!type.startsWith("multipart/form-data")) return openAudio(bytes);
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
    .formData()
    .catch(() => null);
  const file = form ? [...form.values()].find((value) => value instanceof Blob) : null;
  if (!file) {
    throw new Problem(
      422,
      "no_file",
      "The form holds no file: send one, as in curl -F file=@hello.wav, or the bytes alone.",
    );
  }
  return openAudio(new Uint8Array(await file.arrayBuffer()));
}

export const SOUND_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "POST",
    path: "/play-audio",
    scope: "line",
    tag: "Sound",
    summary: "Play sound to the ear",
    description:
      "Raw S16LE 8 kHz mono, or WAV of any rate, width and channels, told apart by the first bytes. Queued behind what " +
      "is playing. While ringing it waits for the answer. Answers at once; with wait=true when it has been heard.",
    query: PlayQuery,
    body: "sound",
    answer: PlayAnswer,
    problems: [409, 413, 415, 422, 429, 503],
    handle: async (call) => {
      const { wait, when } = queryInput(PlayQuery, call.query);
      const source = await soundInput(call);
      const playback = call.dependencies.exchange.play(call.line, source, { when: when ?? "now" });
      const answer = {
        status: "success",
        bytes_written: playback.bytes,
        playback_id: playback.playbackId,
        duration_ms: playback.durationMs,
      };
      if (!wait) return answer;
      const { reason, heardMs } = await playback.finished;
      return { ...answer, reason, heard_ms: heardMs };
    },
  },
];

/** Digits from the telephone, and announcements, as one call each. */
import type { Static } from "@sinclair/typebox";
import { KeptSource } from "../../audio/kept_source";
import type { PcmSource } from "../../audio/source";
import type { GatherRequest } from "../../exchange/gather";
import type { AnnouncementResult } from "../../line/announcement";
import type { GatherResult } from "../../line/gather";
import type { Call, Endpoint } from "../endpoint";
import { jsonInput, Nothing, validated } from "../input";
import { Problem } from "../problem";
import {
  AnnounceAnswer,
  AnnounceInput,
  AnnounceOptionsInput,
  AnnounceStopAnswer,
  GatherAnswer,
  GatherInput,
  type GatherOptionsInput,
  GatherStopAnswer,
  PromptInput,
} from "../schema_gather";
import { namedSound } from "../schema_sounds";
import type { Upload } from "../upload";
import { whenOver } from "../waiting";
import { announceInput } from "./announce_input";
import { inMemory } from "./sound";

const MS_PER_S = 1000;
const ofLine = { method: "POST", scope: "line", tag: "Telephone" } as const;
const SOUND_PROBLEMS = [400, 404, 409, 415, 422, 429, 501, 503, 504];

type Options = Static<typeof GatherOptionsInput>;

function timeoutMs(input: Options, name: "timeout" | "inter_digit_timeout"): number | undefined {
  const ms = input[`${name}_ms`];
  const seconds = input[name];
  if (ms === undefined) return seconds === undefined ? undefined : seconds * MS_PER_S;
  if (seconds === undefined) return ms;
  const message = `goes without ${name}_ms`;
  throw new Problem(422, "invalid_input", `${name} ${message}.`, { errors: [{ field: name, message }] });
}

function gatherRequest(input: Options): GatherRequest {
  const firstMs = timeoutMs(input, "timeout");
  const nextMs = timeoutMs(input, "inter_digit_timeout");
  return {
    ...(input.max_digits === undefined ? {} : { maxDigits: input.max_digits }),
    ...(input.finish_on_key === undefined ? {} : { finishOnKey: input.finish_on_key }),
    ...(firstMs === undefined ? {} : { timeoutMs: firstMs }),
    ...(nextMs === undefined ? {} : { interDigitTimeoutMs: nextMs }),
    ...(input.pattern === undefined ? {} : { pattern: input.pattern }),
    ...(input.barge_in === undefined ? {} : { bargeIn: input.barge_in }),
  };
}

async function promptOf(call: Call, prompt: unknown): Promise<PcmSource | null> {
  if (prompt === undefined) return null;
  const named = typeof prompt === "string" ? { prompt } : prompt;
  return await namedSound(call, validated(PromptInput, { prompt: named }).prompt, null);
}

/** Whoever refuses it leaves the source to us. */
async function closedIfRefused<T>(source: PcmSource | null, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    source?.close?.();
    throw error;
  }
}

/** Bun takes no more of a body once it was answered. Of one that breaks off no more is announced. */
async function takenOver(
  upload: Upload,
  { finished, stop }: { finished: Promise<unknown>; stop(): void },
): Promise<void> {
  await Promise.race([upload.over, finished]);
  if (!upload.bytes.failure) return;
  stop();
  throw upload.bytes.failure;
}

const gathered = ({ gatherId, digits, reason, finishKey, heardMs, played, durationMs }: GatherResult) => ({
  status: "success" as const,
  gather_id: gatherId,
  digits,
  reason,
  finish_key: finishKey,
  heard_ms: heardMs,
  played,
  duration_ms: durationMs,
});

const announced = ({ announceId, outcome, answeredAfterMs, heardMs, played, gather }: AnnouncementResult) => ({
  status: "success" as const,
  announce_id: announceId,
  outcome,
  answered_after_ms: answeredAfterMs,
  heard_ms: heardMs,
  played,
  ...(gather ? { digits: gather.digits, gather_reason: gather.reason, finish_key: gather.finishKey } : {}),
});

export const GATHER_ENDPOINTS: readonly Endpoint[] = [
  {
    ...ofLine,
    path: "/gather",
    summary: "Collect digits",
    description:
      "Keys and dials alike. A prompt is heard first; the first key stops it, and counts. While ringing it waits for the " +
      "answer, with when=off_hook for the lift. Answers when it is over, or at once with wait=false; gather_finished " +
      "tells in any case. A client that goes while it waits ends it. With a pattern, the reasons complete and finish_key " +
      "mean that the digits fit it. One at a time on each line.",
    body: GatherInput,
    example: { when: "off_hook", max_digits: 4, timeout_ms: 5000, wait: false },
    answer: GatherAnswer,
    problems: SOUND_PROBLEMS,
    handle: async (call) => {
      const input = await jsonInput(GatherInput, call.request, call.query);
      const request = gatherRequest(input);
      const prompt = await promptOf(call, input.prompt);
      const { exchange } = call.dependencies;
      const gather = await closedIfRefused(prompt, () =>
        exchange.gather(call.line, { ...request, prompt, loop: 1, when: input.when ?? "now" }),
      );
      if (input.wait === false) return { status: "success", gather_id: gather.gatherId };
      return gathered(await whenOver(call, gather));
    },
  },
  {
    ...ofLine,
    path: "/gather/stop",
    summary: "End collecting digits",
    description: "Answers with what was pressed so far, as does the request that collects them.",
    answer: GatherStopAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      return gathered(await dependencies.exchange.stopGather(line));
    },
  },
  {
    ...ofLine,
    path: "/announce",
    summary: "Ring, and say something to who answers",
    description:
      "The sound is there before the bell rings. It is heard after the answer and a short pause; with gather, digits are " +
      "collected during it and after it. A telephone that is lifted already hears it at once, or is left alone " +
      "(when_lifted). Answers when it is over, or with wait=false when the bell rings; announce_finished tells in any " +
      "case. A client that goes while it waits ends it, the bell first of all. One at a time on each line. Instead of " +
      "naming the sound it may be sent, as for POST /play-audio: in a form, with the rest of the JSON as its field options, or " +
      "as the body, with the rest in the query.",
    body: "sound",
    named: AnnounceInput,
    form: { file: "audio", options: AnnounceOptionsInput },
    example: { tone: "busy", max_ring_seconds: 2, caller_id: { name: "Kitchen" } },
    answer: AnnounceAnswer,
    problems: [...SOUND_PROBLEMS, 413],
    handle: async (call) => {
      const { options: input, source: sound, upload } = await announceInput(call);
      const source = KeptSource.of(sound);
      const announcement = await closedIfRefused(source, async () => {
        const { repeat: loop = 1, max_ring_seconds, pause_ms, custom_pattern } = input;
        if (loop !== 1) await inMemory(source);
        return await call.dependencies.exchange.announce(call.line, {
          source,
          loop,
          ring: {
            ...(input.ring_pattern === undefined ? {} : { pattern: input.ring_pattern }),
            ...(custom_pattern === undefined
              ? {}
              : {
                  customPattern: {
                    onTimesMs: custom_pattern.on_times,
                    offTimesMs: custom_pattern.off_times,
                  },
                }),
            ...(input.caller_id === undefined ? {} : { callerId: input.caller_id }),
          },
          ...(max_ring_seconds === undefined ? {} : { maxRingMs: max_ring_seconds * MS_PER_S }),
          ...(pause_ms === undefined ? {} : { pauseMs: pause_ms }),
          whenLifted: input.when_lifted ?? "play",
          gather: input.gather ? gatherRequest(input.gather) : null,
        });
      });
      const taken = upload ? takenOver(upload, announcement) : null;
      if (input.wait === false) {
        await taken;
        return { status: "success", announce_id: announcement.announceId };
      }
      const [result] = await Promise.all([whenOver(call, announcement), taken]);
      return announced(result);
    },
  },
  {
    ...ofLine,
    path: "/announce/stop",
    summary: "End the announcement",
    description: "Its bell or its sound; answers with what became of it, as does the request that announces.",
    answer: AnnounceStopAnswer,
    problems: [409, 422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      return announced(await dependencies.exchange.stopAnnouncement(line));
    },
  },
];

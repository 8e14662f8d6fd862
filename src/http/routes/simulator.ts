/** A hand on every simulated telephone. Each answers when the telephone has done it. */
import { encodeWav } from "../../audio/wav";
import { type Handsets, Refusal } from "../../exchange/verbs";
import type { Call, Endpoint } from "../endpoint";
import { jsonInput, Nothing, queryInput } from "../input";
import { Problem } from "../problem";
import { SuccessAnswer } from "../schema";
import { EarQuery, FlashInput, PressInput, PulseInput, TelephoneAnswer, VoltageInput } from "../schema_simulator";
import { soundBody } from "../sound_body";
import { openUpload } from "./sound";

const SUCCESS = { status: "success" } as const;

function handsets({ dependencies }: Call): Handsets {
  const { handsets: simulated } = dependencies.exchange;
  if (!simulated) throw new Refusal("not_simulated", "There are no simulated telephones: start with --simulate.");
  return simulated;
}

const telephone = { scope: "telephone", tag: "Simulator", answer: SuccessAnswer } as const;

/** A verb that takes nothing and says success. */
const plain = (
  path: string,
  summary: string,
  act: (telephones: Handsets, line: number) => Promise<void>,
): Endpoint => ({
  ...telephone,
  method: "POST",
  path,
  summary,
  problems: [409, 422, 503],
  handle: async (call) => {
    await jsonInput(Nothing, call.request, call.query);
    await act(handsets(call), call.line);
    return SUCCESS;
  },
});

export const SIMULATOR_ENDPOINTS: readonly Endpoint[] = [
  {
    ...telephone,
    method: "GET",
    path: "",
    summary: "How the telephone stands",
    answer: TelephoneAnswer,
    problems: [],
    handle: (call) => handsets(call).telephone(call.line),
  },
  plain("/lift", "Lift the handset", (telephones, line) => telephones.lift(line)),
  plain("/hang-up", "Put the handset back", (telephones, line) => telephones.hangUp(line)),
  plain("/unplug", "Take the line away, as a card pulled out", (telephones, line) => telephones.plug(line, false)),
  plain("/plug", "Put the line back", (telephones, line) => telephones.plug(line, true)),
  {
    ...telephone,
    method: "POST",
    path: "/flash",
    summary: "Press the hook for a moment",
    body: FlashInput,
    example: { duration_ms: 300 },
    problems: [400, 409, 415, 422, 503],
    handle: async (call) => {
      const { duration_ms } = await jsonInput(FlashInput, call.request, call.query);
      await handsets(call).flash(call.line, duration_ms ?? 300);
      return SUCCESS;
    },
  },
  {
    ...telephone,
    method: "POST",
    path: "/press",
    summary: "Press keys",
    description: "As real dual tones: what the API then reports is what its detector heard.",
    body: PressInput,
    example: { digits: "123#" },
    problems: [400, 409, 415, 422, 429, 503],
    handle: async (call) => {
      const input = await jsonInput(PressInput, call.request, call.query);
      await handsets(call).press(call.line, {
        digits: input.digits.toUpperCase(),
        onMs: input.on_ms ?? 100,
        offMs: input.off_ms ?? 100,
        levelDbm0: input.level_dbm0 ?? -10,
        twistDb: input.twist_db ?? 0,
      });
      return SUCCESS;
    },
  },
  {
    ...telephone,
    method: "POST",
    path: "/pulse",
    summary: "Dial with a rotary dial",
    description: "A good one opens the loop for 60 ms and closes it for 40, ten times a second.",
    body: PulseInput,
    example: { digits: "12" },
    problems: [400, 409, 415, 422, 429, 503],
    handle: async (call) => {
      const input = await jsonInput(PulseInput, call.request, call.query);
      const dial = { breakMs: input.break_ms ?? 60, makeMs: input.make_ms ?? 40 };
      await handsets(call).pulse(call.line, input.digits, dial);
      return SUCCESS;
    },
  },
  {
    ...telephone,
    method: "POST",
    path: "/speak",
    summary: "Say something into the microphone",
    description: "A body as for play-audio. Answers when it has been said.",
    body: "sound",
    problems: [409, 413, 415, 422, 429, 503],
    handle: async (call) => {
      queryInput(Nothing, call.query);
      const telephones = handsets(call);
      const { upload } = await soundBody(call);
      if (!upload)
        throw new Problem(415, "unsupported_media_type", "Send what is said as sound: JSON names none here.");
      const source = await openUpload(upload, null);
      await telephones.speak(call.line, source).finally(() => source.close?.());
      return SUCCESS;
    },
  },
  {
    ...telephone,
    method: "POST",
    path: "/voltage",
    summary: "Set the line's voltage",
    body: VoltageInput,
    example: { volts: 42 },
    problems: [400, 415, 422, 503],
    handle: async (call) => {
      const { volts } = await jsonInput(VoltageInput, call.request, call.query);
      await handsets(call).voltage(call.line, volts);
      return SUCCESS;
    },
  },
  {
    ...telephone,
    method: "GET",
    path: "/ear",
    summary: "What the ear heard last",
    query: EarQuery,
    answer: { mediaType: "audio/wav" },
    problems: [422],
    handle: (call) => {
      const { seconds } = queryInput(EarQuery, call.query);
      const heard = handsets(call).ear(call.line, seconds ?? 5);
      return new Response(encodeWav(heard), { headers: { "content-type": "audio/wav" } });
    },
  },
];

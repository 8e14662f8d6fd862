/** What can be asked of a line: state, bell, tones. */
import { type Static, Type } from "@sinclair/typebox";
import type { RingRequest } from "../../exchange/verbs";
import { statusAnswer, voltageAnswer } from "../answers";
import type { Endpoint } from "../endpoint";
import { jsonInput, Nothing } from "../input";
import {
  CallWaitingAnswer,
  CallWaitingInput,
  MessageWaitingAnswer,
  MessageWaitingInput,
  PlayAnswer,
  RingAnswer,
  RingInput,
  StatusAnswer,
  StopRingAnswer,
  ToneInput,
  VoltageAnswer,
} from "../schema";

export const ringRequest = (input: Static<typeof RingInput>): RingRequest => ({
  ...(input.pattern === undefined ? {} : { pattern: input.pattern }),
  ...(input.duration === undefined ? {} : { durationMs: input.duration }),
  ...(input.repeat === undefined ? {} : { repeat: input.repeat }),
  ...(input.custom_pattern === undefined
    ? {}
    : {
        customPattern: { onTimesMs: input.custom_pattern.on_times, offTimesMs: input.custom_pattern.off_times },
      }),
  ...(input.caller_id === undefined ? {} : { callerId: input.caller_id }),
});

export const LINE_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/status",
    scope: "line",
    tag: "Telephone",
    summary: "What the telephone is doing",
    answer: StatusAnswer,
    problems: [],
    handle: ({ line, dependencies }) => statusAnswer(dependencies.exchange.status(line)),
  },
  {
    method: "GET",
    path: "/voltage",
    scope: "line",
    tag: "Telephone",
    summary: "The line's voltage",
    description: "Measured by the card, once a second. Where the card cannot tell, the numbers are null.",
    answer: VoltageAnswer,
    problems: [],
    handle: ({ line, dependencies }) => voltageAnswer(dependencies.exchange.voltage(line), Date.now()),
  },
  {
    method: "GET",
    path: "/diagnostics",
    scope: "line",
    tag: "Telephone",
    summary: "Everything measured about the line",
    description:
      "Hardware, driver, capabilities, voltages, the signal heard, counters of the I/O thread, and the event log's disk.",
    answer: Type.Object({}, { additionalProperties: true }),
    problems: [],
    handle: ({ line, dependencies }) => ({
      line,
      ...dependencies.exchange.diagnostics(line),
      event_log: dependencies.eventLogStatus(),
    }),
  },
  {
    method: "POST",
    path: "/ring",
    scope: "line",
    tag: "Telephone",
    summary: "Ring the telephone",
    description:
      "Answers when the card has accepted it. An empty body rings NORMAL. Parameters may stand in the query instead. " +
      "A ring already running is replaced. ring_start, ring_stop and off_hook tell what becomes of it. With caller_id the " +
      "telephone's display shows who calls.",
    body: RingInput,
    example: { pattern: "NORMAL", duration: 2000, caller_id: { name: "Zoë Müller", number: "+1 202 555 0100" } },
    answer: RingAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, line, dependencies }) => {
      const input = await jsonInput(RingInput, request, query);
      const answer = await dependencies.exchange.ring(line, ringRequest(input));
      return {
        status: "success",
        pattern: answer.pattern,
        repeat: answer.repeat,
        duration: answer.durationMs,
        ...(input.caller_id === undefined ? {} : { caller_id: answer.callerIdScheme }),
      };
    },
  },
  {
    method: "POST",
    path: "/call-waiting",
    scope: "line",
    tag: "Telephone",
    summary: "Tell a lifted telephone that another call waits",
    description:
      "The call-waiting tone; with caller_id also the alert that asks the telephone's display to listen (CAS), and, " +
      "where the telephone acknowledges it, who calls (type II caller ID, FSK). What is playing goes on after it. " +
      "Answers when the telephone knows.",
    body: CallWaitingInput,
    example: { caller_id: { name: "Zoë Müller", number: "+1 202 555 0100" } },
    answer: CallWaitingAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, line, dependencies }) => {
      const { caller_id } = await jsonInput(CallWaitingInput, request, query);
      const { acknowledged, callerIdSent } = await dependencies.exchange.callWaiting(line, caller_id ?? null);
      return { status: "success", acknowledged, caller_id_sent: callerIdSent };
    },
  },
  {
    method: "POST",
    path: "/message-waiting",
    scope: "line",
    tag: "Telephone",
    summary: "Messages wait, or none any more",
    description:
      "The dial tone of the next lifts stutters (where dial_tone is enabled), and the telephone's lamp is told once the " +
      "line is idle for a second: by FSK as caller_id.scheme says, and by the card's voltage where message_waiting.lamp " +
      "names one. A restart of the server remembers it, and tells the lamp again. Answers at once.",
    body: MessageWaitingInput,
    example: { waiting: true, count: 2 },
    answer: MessageWaitingAnswer,
    problems: [400, 415, 422],
    handle: async ({ request, query, line, dependencies }) => {
      const { waiting, count } = await jsonInput(MessageWaitingInput, request, query);
      const answer = dependencies.exchange.messageWaiting(line, {
        waiting,
        ...(count === undefined ? {} : { count }),
      });
      await dependencies.messageCounts.saved();
      return {
        status: "success",
        waiting,
        count: answer.count,
        stutter_dial_tone: answer.stutter,
        lamp: [...answer.lamp],
      };
    },
  },
  {
    method: "POST",
    path: "/stop-ring",
    scope: "line",
    tag: "Telephone",
    summary: "Stop ringing",
    description: "An idle line is no error: was_ringing tells.",
    answer: StopRingAnswer,
    problems: [422],
    handle: async ({ request, query, line, dependencies }) => {
      await jsonInput(Nothing, request, query);
      const { wasRinging } = await dependencies.exchange.stopRing(line);
      return { status: "success", was_ringing: wasRinging };
    },
  },
  {
    method: "POST",
    path: "/generate-tone",
    scope: "line",
    tag: "Sound",
    summary: "Play a tone",
    description:
      "One frequency, up to four together, or a named tone as the country hears it. Queued behind what is playing.",
    body: ToneInput,
    example: { frequency: 440, duration: 1000, when: "off_hook" },
    answer: PlayAnswer,
    problems: [400, 409, 415, 422, 429, 503],
    handle: async ({ request, query, line, dependencies }) => {
      const input = await jsonInput(ToneInput, request, query);
      const frequenciesHz = input.frequencies ?? (input.frequency === undefined ? undefined : [input.frequency]);
      const asked = {
        ...(frequenciesHz === undefined ? {} : { frequenciesHz }),
        ...(input.tone === undefined ? {} : { tone: input.tone }),
        ...(input.zone === undefined ? {} : { zone: input.zone }),
        ...(input.duration === undefined ? {} : { durationMs: input.duration }),
      };
      const { playbackId, durationMs, bytes } = dependencies.exchange.tone(line, asked, input.when);
      return { status: "success", bytes_written: bytes, playback_id: playbackId, duration_ms: durationMs };
    },
  },
];

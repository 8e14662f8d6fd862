/** What can be asked of a line: state, bell, tones. */
import { Type } from "@sinclair/typebox";
import { statusAnswer, voltageAnswer } from "../answers";
import type { Endpoint } from "../endpoint";
import { jsonInput, Nothing } from "../input";
import {
  PlayAnswer,
  RingAnswer,
  RingInput,
  StatusAnswer,
  StopRingAnswer,
  ToneInput,
  VoltageAnswer,
} from "../schema";

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
      "A ring already running is replaced. ring_start, ring_stop and off_hook tell what becomes of it.",
    body: RingInput,
    example: { pattern: "NORMAL", duration: 2000 },
    answer: RingAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, line, dependencies }) => {
      const input = await jsonInput(RingInput, request, query);
      const answer = await dependencies.exchange.ring(line, {
        ...(input.pattern === undefined ? {} : { pattern: input.pattern }),
        ...(input.duration === undefined ? {} : { durationMs: input.duration }),
        ...(input.repeat === undefined ? {} : { repeat: input.repeat }),
        ...(input.custom_pattern === undefined
          ? {}
          : {
              customPattern: {
                onTimesMs: input.custom_pattern.on_times,
                offTimesMs: input.custom_pattern.off_times,
              },
            }),
      });
      return { status: "success", pattern: answer.pattern, repeat: answer.repeat, duration: answer.durationMs };
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
    example: { frequency: 440, duration: 1000 },
    answer: PlayAnswer,
    problems: [400, 409, 415, 422, 429, 503],
    handle: async ({ request, query, line, dependencies }) => {
      const input = await jsonInput(ToneInput, request, query);
      const frequenciesHz = input.frequencies ?? (input.frequency === undefined ? undefined : [input.frequency]);
      const { playbackId, durationMs, bytes } = dependencies.exchange.tone(line, {
        ...(frequenciesHz === undefined ? {} : { frequenciesHz }),
        ...(input.tone === undefined ? {} : { tone: input.tone }),
        ...(input.zone === undefined ? {} : { zone: input.zone }),
        ...(input.duration === undefined ? {} : { durationMs: input.duration }),
      });
      return { status: "success", bytes_written: bytes, playback_id: playbackId, duration_ms: durationMs };
    },
  },
];

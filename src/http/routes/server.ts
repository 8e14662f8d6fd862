/** The program itself: alive, ready, configured; and its lines. */
import { Type } from "@sinclair/typebox";
import { statusAnswer } from "../answers";
import type { Call, Endpoint } from "../endpoint";
import { METRICS_MEDIA_TYPE } from "../metrics/metrics";
import { StatusAnswer } from "../schema";
import { EventLogAnswer } from "../schema_events";

function ready({ dependencies }: Call): Response {
  const { exchange } = dependencies;
  const lines = exchange.lines.map((line) => {
    const { state, fault } = exchange.status(line);
    return {
      line,
      ready: fault === null && state !== "INITIALIZING",
      state,
      ...(fault ? { problem: fault } : {}),
    };
  });
  const all = lines.every((line) => line.ready);
  // Telephones work without a disk: it is told here and does not make us unready.
  const event_log = dependencies.eventLogStatus();
  return Response.json({ status: all ? "ready" : "not_ready", lines, event_log }, { status: all ? 200 : 503 });
}

/** By a clock that nobody sets. */
export const uptimeS = (): number => Math.round(performance.now() / 1000);

const ReadyAnswer = Type.Object({
  status: Type.String({ examples: ["ready"] }),
  lines: Type.Array(Type.Object({}, { additionalProperties: true })),
  event_log: EventLogAnswer,
});

export const SERVER_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/lines",
    scope: "server",
    tag: "Lines",
    summary: "All lines with their state",
    answer: Type.Object({ default_line: Type.Integer(), lines: Type.Array(StatusAnswer) }),
    problems: [],
    ownLines: true,
    handle: ({ lines, dependencies: { exchange } }) => ({
      default_line: exchange.defaultLine,
      lines: exchange.lines
        .filter((line) => lines.includes(line))
        .map((line) => statusAnswer(exchange.status(line))),
    }),
  },
  {
    method: "GET",
    path: "/lines/:line",
    scope: "server",
    tag: "Lines",
    summary: "One line's state",
    answer: StatusAnswer,
    problems: [404],
    handle: ({ line, dependencies: { exchange } }) => statusAnswer(exchange.status(line)),
  },
  {
    method: "GET",
    path: "/health",
    scope: "server",
    tag: "Server",
    access: "open",
    summary: "Alive",
    answer: Type.Object({
      status: Type.Literal("ok"),
      version: Type.String({ examples: ["0.1.0"] }),
      uptime_s: Type.Number({ examples: [86_400] }),
    }),
    problems: [],
    handle: ({ dependencies }) => ({
      status: "ok",
      version: dependencies.version,
      uptime_s: uptimeS(),
    }),
  },
  {
    method: "GET",
    path: "/ready",
    scope: "server",
    tag: "Server",
    summary: "Are the lines usable?",
    description:
      "503 while one is not: with what is wrong and how to mend it. event_log tells whether events outlive " +
      "a restart, and whether a log that could not be read was set aside.",
    answer: ReadyAnswer,
    otherAnswers: { 503: { description: "A line is not usable", schema: ReadyAnswer } },
    problems: [],
    handle: ready,
  },
  {
    method: "GET",
    path: "/metrics",
    scope: "server",
    tag: "Server",
    summary: "Counters and gauges for Prometheus",
    description: "Its text format. docs/grafana-dashboard.json is a dashboard of them.",
    answer: { mediaType: "text/plain" },
    problems: [],
    handle: async ({ dependencies: { metrics } }) =>
      new Response(await metrics.text(), { headers: { "content-type": METRICS_MEDIA_TYPE } }),
  },
];

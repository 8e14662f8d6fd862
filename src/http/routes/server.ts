/** The program itself: alive, ready, configured; its lines and its events. */
import { Type } from "@sinclair/typebox";
import type { EventFilter } from "../../events/bus";
import { cursor } from "../../events/published";
import { LINE_EVENT_TYPES, type LineEventType } from "../../line/events";
import { statusAnswer } from "../answers";
import type { Call, Endpoint } from "../endpoint";
import { queryInput } from "../input";
import { Problem } from "../problem";
import { EventsQuery, StatusAnswer } from "../schema";

/** Which events a client asked for. Unknown names are refused, so that a typing mistake is not silence. */
export function eventFilter(
  types: string | undefined,
  line: number | undefined,
  lines: readonly number[],
): EventFilter {
  if (line !== undefined && !lines.includes(line)) {
    throw new Problem(404, "unknown_line", `There is no line ${line}: GET /lines lists them.`);
  }
  if (types === undefined) return { types: null, line: line ?? null };
  const names = types.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !LINE_EVENT_TYPES.includes(name as LineEventType));
  if (unknown.length > 0) {
    const message = `${unknown.join(", ")}: not an event; there are ${LINE_EVENT_TYPES.join(", ")}`;
    throw new Problem(422, "invalid_input", `types ${message}.`, { errors: [{ field: "types", message }] });
  }
  return { types: new Set(names as LineEventType[]), line: line ?? null };
}

/** An id as it was given out: a whole number in a text. */
export function eventId(since: string): number {
  const id = Number(since);
  if (/^\d{1,16}$/.test(since) && Number.isSafeInteger(id)) return id;
  const message = "must be an id that an event carried, or 0";
  throw new Problem(422, "invalid_input", `since ${message}.`, { errors: [{ field: "since", message }] });
}

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
  return Response.json({ status: all ? "ready" : "not_ready", lines }, { status: all ? 200 : 503 });
}

const DEFAULT_PAGE = 100;

export const SERVER_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/lines",
    scope: "server",
    tag: "Lines",
    summary: "All lines with their state",
    answer: Type.Object({ default_line: Type.Integer(), lines: Type.Array(StatusAnswer) }),
    problems: [],
    handle: ({ dependencies: { exchange } }) => ({
      default_line: exchange.defaultLine,
      lines: exchange.lines.map((line) => statusAnswer(exchange.status(line))),
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
    path: "/events",
    scope: "server",
    tag: "Events",
    summary: "The event log, oldest first",
    description:
      "For clients that poll or missed some. Ask again with since=next. resync_required is true where events after " +
      "`since` are no longer kept: read GET /lines then.",
    query: EventsQuery,
    answer: Type.Object({
      events: Type.Array(Type.Object({}, { additionalProperties: true })),
      next: Type.String(),
      resync_required: Type.Boolean(),
    }),
    problems: [404, 422],
    handle: ({ query, dependencies: { bus, exchange } }) => {
      const { since, limit, types, line, ts } = queryInput(EventsQuery, query);
      const filter = eventFilter(types, line, exchange.lines);
      // 0 stands for the beginning, whatever that is by now.
      const from = since === undefined || since === "0" ? null : eventId(since);
      const page = bus.page(from, limit ?? DEFAULT_PAGE, filter);
      const format = ts === "offset" ? "offset" : "z";
      return {
        events: page.events.map((event) => event.wire(format)),
        next: cursor(page.next),
        resync_required: !page.reachesBack,
      };
    },
  },
  {
    method: "GET",
    path: "/config",
    scope: "server",
    tag: "Server",
    summary: "The running configuration",
    description: "Secrets are shown as ***.",
    answer: Type.Object({}, { additionalProperties: true }),
    problems: [],
    handle: ({ dependencies }) => dependencies.shownConfig,
  },
  {
    method: "GET",
    path: "/health",
    scope: "server",
    tag: "Server",
    summary: "Alive",
    answer: Type.Object({ status: Type.Literal("ok"), version: Type.String(), uptime_s: Type.Number() }),
    problems: [],
    handle: ({ dependencies }) => ({
      status: "ok",
      version: dependencies.version,
      uptime_s: Math.round((Date.now() - dependencies.startedAtMs) / 1000),
    }),
  },
  {
    method: "GET",
    path: "/ready",
    scope: "server",
    tag: "Server",
    summary: "Are the lines usable?",
    description: "503 while one is not: with what is wrong and how to mend it.",
    answer: Type.Object({
      status: Type.String(),
      lines: Type.Array(Type.Object({}, { additionalProperties: true })),
    }),
    problems: [],
    handle: ready,
  },
];

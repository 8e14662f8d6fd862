/** The event log: by pages, and as a stream. */
import { Type } from "@sinclair/typebox";
import type { EventFilter } from "../../events/bus";
import { isGap } from "../../events/event_log";
import { cursor } from "../../events/published";
import { LINE_EVENT_TYPES, type LineEventType } from "../../line/events";
import type { Token } from "../../security/token";
import type { Endpoint } from "../endpoint";
import { queryInput } from "../input";
import { Problem } from "../problem";
import { lineNotAllowed } from "../refusals";
import { EventsQuery, StreamQuery } from "../schema_events";

/** Which events a client asked for. Unknown names are refused, so that a typing mistake is not silence. */
export function eventFilter(
  types: string | undefined,
  line: number | undefined,
  lines: readonly number[],
  token: Token | null,
): EventFilter {
  if (line !== undefined && !lines.includes(line)) {
    throw new Problem(404, "unknown_line", `There is no line ${line}: GET /lines lists them.`);
  }
  if (line !== undefined && token?.lines && !token.lines.includes(line)) throw lineNotAllowed(token.lines);
  const asked = line === undefined ? (token?.lines ?? null) : [line];
  if (types === undefined) return { types: null, lines: asked };
  const names = types.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !LINE_EVENT_TYPES.includes(name as LineEventType));
  if (unknown.length > 0) {
    const message = `${unknown.join(", ")}: not an event; there are ${LINE_EVENT_TYPES.join(", ")}`;
    throw new Problem(422, "invalid_input", `types ${message}.`, { errors: [{ field: "types", message }] });
  }
  return { types: new Set(names as LineEventType[]), lines: asked };
}

/** An id as it was given out: a whole number in a text. */
export function eventId(text: string, field = "since"): number {
  const id = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(id)) return id;
  const message = "must be an id that an event carried, or 0";
  throw new Problem(422, "invalid_input", `${field} ${message}.`, { errors: [{ field, message }] });
}

const DEFAULT_PAGE = 100;

function lastAlone(): Problem {
  const message = "stands without since and limit: the newest so many, or what came after an id";
  return new Problem(422, "invalid_input", `last ${message}.`, { errors: [{ field: "last", message }] });
}

export const EVENT_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/events",
    scope: "server",
    tag: "Events",
    summary: "The event log, oldest first",
    description:
      "For clients that poll or missed some; it reaches back over restarts. Ask again with since=next. " +
      "resync_required is true where events after `since` are not kept, or may be lost: read GET /lines then. " +
      "`last=20` are the newest twenty; since=next goes on from there as well.",
    query: EventsQuery,
    answer: Type.Object({
      events: Type.Array(Type.Object({}, { additionalProperties: true })),
      next: Type.String(),
      resync_required: Type.Boolean(),
    }),
    problems: [404, 422],
    ownLines: true,
    handle: async ({ query, asker, dependencies: { events, exchange } }) => {
      const { since, limit, last, types, line, ts } = queryInput(EventsQuery, query);
      if (last !== undefined && (since !== undefined || limit !== undefined)) throw lastAlone();
      const filter = eventFilter(types, line, exchange.lines, asker().token);
      // 0 stands for the beginning, whatever that is by now.
      const from = since === undefined || since === "0" ? null : eventId(since);
      await events.bus.begun;
      const page = await (last === undefined
        ? events.page(from, limit ?? DEFAULT_PAGE, filter)
        : events.newest(last, filter));
      const format = { time: ts === "offset" ? ("offset" as const) : ("z" as const), stamp: false };
      // Each event's JSON is there already, or is needed again: a thousand of them are not written anew for every poll.
      const texts = page.entries.flatMap((entry) => (isGap(entry) ? [] : [entry.text(format)]));
      const next = JSON.stringify(cursor(page.next));
      const text = `{"events":[${texts.join(",")}],"next":${next},"resync_required":${!page.complete}}`;
      return new Response(text, { headers: { "content-type": "application/json" } });
    },
  },
  {
    method: "GET",
    path: "/events/stream",
    scope: "server",
    tag: "Events",
    summary: "Events as Server-Sent Events",
    description:
      "For `new EventSource(…)` and `curl -N`. Each event's `data` is the frame that a WebSocket client gets, its `id` " +
      "the cursor: after a break a browser sends it back as `Last-Event-ID`, and what it missed is replayed. " +
      "`caught_up`, `resync_required` and `gap` come as data too, without an id. A comment every 15 s keeps the " +
      "connection alive.",
    query: StreamQuery,
    answer: { mediaType: "text/event-stream" },
    problems: [404, 422, 429],
    ownLines: true,
    handle: async ({ request, query, asker, dependencies: { events, exchange, streams }, keepOpen }) => {
      const { since, types, line, ts } = queryInput(StreamQuery, query);
      const filter = eventFilter(types, line, exchange.lines, asker().token);
      const last = request.headers.get("last-event-id") ?? "";
      const from = last !== "" ? eventId(last, "Last-Event-ID") : since === undefined ? null : eventId(since);
      await events.bus.begun;
      keepOpen();
      const time = ts === "offset" ? ("offset" as const) : ("z" as const);
      return streams.open(request, { filter, format: { time, stamp: false }, since: from }, asker());
    },
  },
];

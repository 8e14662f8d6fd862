/** What the event log is asked, and how it is. */
import { Type } from "@sinclair/typebox";
import { LINE_EVENT_TYPES } from "../line/events";
import { closed, nullableNumber, nullableText } from "./schema";
import { QueryToken } from "./schema_tokens";

const filters = {
  types: Type.Optional(Type.String({ description: `Comma-separated: ${LINE_EVENT_TYPES.join(", ")}` })),
  line: Type.Optional(Type.Integer({ minimum: 1, description: "Of this line only" })),
  ts: Type.Optional(Type.Literal("offset", { description: "Timestamps end in +00:00 instead of Z" })),
};
const since = Type.Optional(Type.String({ description: "Only what came after this id", examples: ["0"] }));
const MAX_PAGE = 1000;

export const EventsQuery = Type.Object(
  {
    since,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_PAGE, description: "At most this many; omitted: 100" }),
    ),
    last: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_PAGE,
        description: "The newest this many instead, oldest of them first; neither since nor limit goes with it",
      }),
    ),
    ...filters,
  },
  closed,
);

export const StreamQuery = Type.Object({ since, ...filters, token: QueryToken }, closed);

export const EventLogAnswer = Type.Object({
  storage: Type.String({ description: "disk; memory: events do not outlive this process" }),
  problem: nullableText("Why it is memory"),
  waiting_events: Type.Integer({ description: "In memory and not yet written" }),
  oldest_id: Type.String({ description: "Of what is kept" }),
  newest_id: Type.String(),
  used_bytes: nullableNumber("On disk; events.max_bytes is the limit"),
  set_aside: Type.Union([Type.Object({ renamed_to: Type.String(), problem: Type.String() }), Type.Null()], {
    description:
      "Since this start: a log that could not be read, what it is called now, and why. What was in it is lost",
    examples: [null],
  }),
});

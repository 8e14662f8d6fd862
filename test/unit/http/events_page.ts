import { eventsText } from "../../../src/http/docs/event_examples";

export const EVENTS_PAGE = (): string =>
  [
    "# Events",
    "",
    "Generated from `src/http/docs/event_examples.ts` by `bun test/unit/http/write_events_page.ts`; a test compares. Times are UTC with",
    "three decimals; `?ts=offset` ends them in `+00:00`. `id` is an opaque cursor that grows: give the last one you saw as",
    "`?since=` after a break. On a line the order is total and timestamps never run backwards.",
    "",
    eventsText(),
  ].join("\n");

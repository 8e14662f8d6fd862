import { expect, test } from "bun:test";
import { EVENTS_PAGE } from "./events_page";

test("docs/events.md is what the program says: bun test/unit/http/write_events_page.ts", async () => {
  expect(await Bun.file(`${import.meta.dir}/../../../docs/events.md`).text()).toBe(EVENTS_PAGE());
});

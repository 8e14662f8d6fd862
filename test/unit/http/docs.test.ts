import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { asyncApi } from "../../../src/http/docs/asyncapi";
import { LINE_EVENT_TYPES } from "../../../src/line/events";
import { EVENTS_PAGE } from "./events_page";

test("docs/events.md is what the program says: bun test/unit/http/write_events_page.ts", async () => {
  expect(await Bun.file(`${import.meta.dir}/../../../docs/events.md`).text()).toBe(EVENTS_PAGE());
});

test("the AsyncAPI text is one, by AsyncAPI's own schema", () => {
  const text = JSON.parse(JSON.stringify(asyncApi("0.0.0")));
  const schema = JSON.parse(readFileSync(require.resolve("@asyncapi/specs/schemas/3.0.0.json"), "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false, meta: false, validateSchema: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  expect([validate(text), validate.errors ?? []]).toEqual([true, []]);
  // It would not take anything: an operation must say what it does.
  delete text.operations.talk.action;
  expect(validate(text)).toBe(false);
});

test("the AsyncAPI text has every event, and its examples keep to their schemas", () => {
  const { components } = asyncApi("0.0.0") as { components: { messages: Record<string, AsyncMessage> } };
  expect(Object.keys(components.messages)).toEqual(expect.arrayContaining([...LINE_EVENT_TYPES]));
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  for (const { name, payload, examples } of Object.values(components.messages)) {
    for (const { payload: example } of examples)
      expect([name, ajv.validate(payload, example), ajv.errorsText()]).toEqual([name, true, "No errors"]);
  }
});

interface AsyncMessage {
  name: string;
  payload: Record<string, unknown>;
  examples: { payload: unknown }[];
}

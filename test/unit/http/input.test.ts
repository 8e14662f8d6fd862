import { describe, expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { jsonInput, jsonTooLarge, queryInput, readBody } from "../../../src/http/input";
import { Problem } from "../../../src/http/problem";

const Schema = Type.Object(
  { count: Type.Optional(Type.Integer()), name: Type.Optional(Type.String()), on: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

const posted = (body?: string, type = "application/json"): Request =>
  new Request("http://x/", {
    method: "POST",
    ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
  });

async function refused(attempt: () => unknown): Promise<[number, string, string[]]> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof Problem) {
      return [error.status, error.code, (error.options.errors ?? []).map(({ field }) => field)];
    }
    throw error;
  }
  return [200, "taken", []];
}

describe("input", () => {
  test("comes from the query and the body together; the body wins", async () => {
    expect(await jsonInput(Schema, posted('{"name":"b"}'), { name: "q", count: "7", on: "true" })).toEqual({
      name: "b",
      count: 7,
      on: true,
    });
    expect(await jsonInput(Schema, posted(), {})).toEqual({});
    expect(queryInput(Schema, { on: "0" })).toEqual({ on: false });
  });

  test("curl -d sends JSON under another name", async () => {
    expect(await jsonInput(Schema, posted('{"count":1}', "application/x-www-form-urlencoded"), {})).toEqual({
      count: 1,
    });
  });

  test.each([
    ["when", "later", "must be one of now, off_hook"],
    ["count", "x", "must be an integer"],
    ["count", "0", "must be greater than or equal to 1"],
    ["text", "", "must have a length greater than or equal to 1"],
    ["keys", "x", "must match '^[0-9]$'"],
    ["other", "1", "is not known here (known: needed, when, count, text, keys)"],
    [undefined, "", "is missing"],
  ])("%s=%s %s", (field, value, message) => {
    const needed = Type.Object(
      {
        needed: Type.String(),
        when: Type.Optional(Type.Union([Type.Literal("now"), Type.Literal("off_hook")])),
        count: Type.Optional(Type.Integer({ minimum: 1 })),
        text: Type.Optional(Type.String({ minLength: 1 })),
        keys: Type.Optional(Type.String({ pattern: "^[0-9]$" })),
      },
      { additionalProperties: false },
    );
    const query = field === undefined ? {} : { needed: "x", [field]: value };
    expect(() => queryInput(needed, query)).toThrow(`${field ?? "needed"} ${message}.`);
  });

  test.each([
    ["pattern=NORMAL", "it begins with a brace"],
    ["{'pattern':'NORMAL'}", "double quotes."],
    ["{pattern:NORMAL}", "did the shell"],
    ['{"pattern":"NORMAL",}', "no comma stands before"],
    ['{"pattern":"secret"', "check quotes, commas and braces"],
  ])("JSON that is none: %s: %s", async (body, hint) => {
    const answer = jsonInput(Schema, posted(body), {});
    await expect(answer).rejects.toThrow(hint);
    await expect(answer).rejects.not.toThrow("secret");
  });

  test("a number in quotes is told so", async () => {
    const answer = jsonInput(Schema, posted('{"count":"4"}'), {});
    await expect(answer).rejects.toThrow("count must be an integer, without quotes.");
  });

  test("what is wrong is named", async () => {
    expect(await refused(() => jsonInput(Schema, posted("{"), {}))).toEqual([400, "malformed_json", []]);
    expect(await refused(() => jsonInput(Schema, posted('"x"'), {}))).toEqual([422, "invalid_input", []]);
    expect(await refused(() => jsonInput(Schema, posted('{"count":1.5}'), {}))).toEqual([
      422,
      "invalid_input",
      ["count"],
    ]);
    expect(await refused(() => jsonInput(Schema, posted('{"other":1}'), {}))).toEqual([
      422,
      "invalid_input",
      ["other"],
    ]);
    expect(await refused(() => queryInput(Schema, { count: "many" }))).toEqual([422, "invalid_input", ["count"]]);
    expect(await refused(() => queryInput(Schema, { __proto__x: "1" }))).toEqual([
      422,
      "invalid_input",
      ["__proto__x"],
    ]);
  });
});

test("of very many faults the first are told", async () => {
  const body = JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 1])));
  const [status, , fields] = await refused(() => jsonInput(Schema, posted(body), {}));
  expect([status, fields[0], fields.length]).toEqual([422, "k0", 20]);
});

describe("a body", () => {
  const stream = (megabytes: number): Request => {
    let left = megabytes;
    const body = new ReadableStream({
      pull(controller) {
        if (left-- === 0) controller.close();
        else controller.enqueue(new Uint8Array(1024 * 1024));
      },
    });
    return new Request("http://x/", { method: "POST", body });
  };

  test("is read whole up to the limit, and refused beyond it", async () => {
    expect((await readBody(stream(3), 4 * 1024 * 1024, jsonTooLarge)).byteLength).toBe(3 * 1024 * 1024);
    expect(await refused(() => readBody(stream(5), 4 * 1024 * 1024, jsonTooLarge))).toEqual([
      413,
      "body_too_large",
      [],
    ]);
  });

  test("many at once are bounded together, and the bound is given back", async () => {
    const limit = 24 * 1024 * 1024;
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => refused(() => readBody(stream(20), limit, jsonTooLarge))),
    );
    expect(answers.some(([status]) => status === 429)).toBe(true);
    expect((await readBody(stream(20), limit, jsonTooLarge)).byteLength).toBe(20 * 1024 * 1024);
  });
});

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { FormFile } from "../../../src/http/form_file";
import { Problem } from "../../../src/http/problem";
import { fileHead, formOf, formTail } from "../../support/forms";

const TYPE = "multipart/form-data; boundary=form";

interface Read {
  file: Uint8Array;
  fields: string[];
  /** The code of what was wrong with it; "broken off": not told by a code. */
  fault: string | null;
}

/** Of a form that comes in pieces: what was found in it. */
async function read(
  pieces: Iterable<Uint8Array>,
  type = TYPE,
  fieldName: string | null = "options",
): Promise<Read> {
  const file: Uint8Array[] = [];
  const fields: string[] = [];
  const found = (fault: string | null): Read => ({ file: Buffer.concat(file), fields, fault });
  try {
    const form = await FormFile.open(type, {
      // What is given is only lent.
      file: (bytes) => file.push(bytes.slice()),
      field: fieldName === null ? null : { name: fieldName, told: (value) => fields.push(value) },
    });
    for (const piece of pieces) await form.write(piece);
    await form.end();
  } catch (error) {
    return found(error instanceof Problem ? error.code : "broken off");
  }
  return found(null);
}

const text = (said: string): Uint8Array => new TextEncoder().encode(said);
const whole = (body: Uint8Array): Uint8Array[] => [body];
const hello = (name = "audio") => ({ name, filename: "hello.wav", content: text("hello") });
const options = (value = "{}") => ({ name: "options", content: text(value) });

test("a file is given as it was sent, wherever the body is cut", async () => {
  // Of bytes that boundaries are made of: what looks like one and is none.
  const byte = fc.constantFrom(...text("\r\n--formx\0"));
  const content = fc
    .uint8Array({ maxLength: 400 })
    .chain((any) => fc.array(byte, { maxLength: 400 }).map((like) => Uint8Array.from([...like, ...any, ...like])));
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), async (sound, cuts) => {
      fc.pre(!Buffer.from(sound).includes("\r\n--form"));
      const body = formOf([options('{"a":"é"}'), { name: "audio", filename: "a", content: sound }]);
      const pieces: Uint8Array[] = [];
      for (let at = 0, i = 0; at < body.length; i++) {
        const length = cuts[i % cuts.length] as number;
        pieces.push(body.subarray(at, at + length));
        at += length;
      }
      expect(await read(pieces)).toEqual({ file: Buffer.from(sound), fields: ['{"a":"é"}'], fault: null });
    }),
  );
});

test("a long one comes through in its order", async () => {
  const content = new Uint8Array(3_000_001).map((_, i) => (i * 7919) >> 5);
  const { file, fault } = await read(whole(formOf([{ name: "audio", filename: "a", content }])));
  expect([fault, Buffer.compare(file, content)]).toEqual([null, 0]);
});

describe("a form", () => {
  const many = Array.from({ length: 200 }, (_, i) => ({ name: `field-${i}`, content: text("x") }));
  const long = text("a".repeat(200_000));

  test.each<[string, Uint8Array, string]>([
    ["with a field before the file", formOf([options(), hello()]), "{}"],
    ["with a field after it", formOf([hello(), options()]), "{}"],
    [
      "whose field came as a Blob",
      formOf([{ ...options(), filename: "blob", type: "application/json" }, hello()]),
      "{}",
    ],
    ["with other fields first", formOf([...many.slice(0, 50), options(), hello()]), "{}"],
    ["of two files: the first", formOf([hello(), { ...hello(), content: long }]), ""],
    ["of 200 parts behind it", formOf([hello(), ...many]), ""],
    ["of 200 files: the first", formOf([hello(), ...many.map((each) => ({ ...each, filename: "x" }))]), ""],
    [
      "with a field that is longer than it may be: its beginning",
      formOf([options("x".repeat(70_000)), hello()]),
      "x".repeat(65_536),
    ],
    ["with something around it", Buffer.concat([text("before\r\n"), formOf([hello()]), text("\r\nafter")]), ""],
    [
      "whose file says no name",
      formOf([{ name: "a", type: "application/octet-stream", content: text("hello") }]),
      "",
    ],
  ])("%s", async (_, body, field) => {
    expect(await read(whole(body))).toEqual({
      file: Buffer.from("hello"),
      fields: field === "" ? [] : [field],
      fault: null,
    });
  });

  test.each<[string, Uint8Array, string]>([
    ["none", new Uint8Array(0), "no_file"],
    ["no more than its end", formTail, "no_file"],
    ["something else", text("RIFF and so on, which is no form at all. ".repeat(5000)), "no_file"],
    ["without a file", formOf([options()]), "no_file"],
    ["cut off in a field", formOf([options()]).subarray(0, -12), "no_file"],
    ["whose file comes after 200 parts", formOf([...many, hello()]), "no_file"],
    [
      "whose file is named behind 200 kB of a header",
      formOf([{ ...hello(), before: `X-Long: ${"a".repeat(200_000)}` }]),
      "no_file",
    ],
    ["of a header without an end", Buffer.concat([fileHead("a").subarray(0, -4), long]), "no_file"],
    ["cut off in its file", Buffer.concat([fileHead("a"), long]), "broken off"],
    ["cut off behind its file", formOf([hello()]).subarray(0, -4), "broken off"],
  ])("that is none: %s", async (_, body, fault) => {
    expect((await read(whole(body))).fault).toBe(fault);
  });

  test.each([
    ["multipart/form-data", "no_file"],
    ["multipart/form-data; boundary=", "no_file"],
    ["multipart/form-data; boundary=other", "no_file"],
    [`multipart/form-data; boundary=${"b".repeat(300)}`, "no_file"],
    ['Multipart/Form-Data; charset=utf-8; boundary="form"', null],
  ])("under %s", async (type, fault) => {
    expect((await read(whole(formOf([hello()])), type)).fault).toBe(fault);
  });

  test("of which no field is wanted tells none", async () => {
    expect(await read(whole(formOf([options(), hello("options")])), TYPE, null)).toMatchObject({
      fields: [],
      fault: null,
    });
  });
});

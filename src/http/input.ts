/** What a request brings: JSON or a query checked against a schema, or bytes up to a limit. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler, type ValueError } from "@sinclair/typebox/compiler";
import { choicesOf } from "./choices";
import { type FieldProblem, Problem } from "./problem";

/** JSON bodies are small; a larger one is a mistake, and to parse a megabyte of it would keep a Pi from everything else. */
export const MAX_JSON_BYTES = 128 * 1024;
/** Who sends a million wrong fields is not answered a million faults. */
const MAX_FAULTS = 20;
/** Of a body that is too long this much is still read, so that a client that only writes first gets its answer. */
const MAX_DISCARDED_BYTES = 1024 * 1024 * 1024;

const compiled = new Map<TSchema, TypeCheck<TSchema>>();
function checkFor(schema: TSchema): TypeCheck<TSchema> {
  let check = compiled.get(schema);
  if (!check) {
    check = TypeCompiler.Compile(schema);
    compiled.set(schema, check);
  }
  return check;
}

const fieldName = (path: string): string =>
  path
    .slice(1)
    .replaceAll(/\/(\d+)/g, "[$1]")
    .replaceAll("/", ".") || "body";

function explain(schema: TSchema, value: unknown): FieldProblem[] {
  const problems = new Map<string, string>();
  for (const error of checkFor(schema).Errors(value)) {
    const field = fieldName(error.path);
    if (problems.has(field)) continue;
    if (problems.size === MAX_FAULTS) break;
    problems.set(field, complaint(error));
  }
  return [...problems].map(([field, message]) => ({ field, message }));
}

/** What the library says of a value, in the sentence that its field's name begins. */
function complaint({ message, schema, value }: ValueError): string {
  const isQuoted = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
  const choices = choicesOf(schema);
  if (choices) return `must be one of ${choices.join(", ")}`;
  if (message === "Unexpected property") {
    const known = Object.keys((schema.properties ?? {}) as object);
    return known.length > 0 ? `is not known here (known: ${known.join(", ")})` : "is not known here";
  }
  if (message === "Expected required property") return "is missing";
  return message
    .replace(/^Expected (?:array|string) length (?:to be )?/, "must have a length ")
    .replace(/^Expected (?:integer|number|string) to /, "must ")
    .replace(/^Expected (integer|number)$/, isQuoted ? "$&, without quotes" : "$&")
    .replace(/^Expected (integer|array|object)/, "must be an $1")
    .replace(/^Expected (number|string|boolean)/, "must be a $1")
    .replace(/^Expected /, "must be ")
    .replace(/(greater|less) or equal/, "$1 than or equal");
}

export function validated<T extends TSchema>(schema: T, value: unknown): Static<T> {
  if (checkFor(schema).Check(value)) return value as Static<T>;
  const errors = explain(schema, value);
  const detail = `${errors.map(({ field, message }) => `${field} ${message}`).join("; ")}.`;
  throw new Problem(422, "invalid_input", detail, { errors });
}

/** A query's texts as the schema's types; what cannot be converted stays a text and is refused with its name. */
function coerced(schema: TSchema, query: Record<string, string | undefined>): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, TSchema>;
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(query)) {
    if (text === undefined) continue;
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if ((type === "number" || type === "integer") && text.trim() !== "" && Number.isFinite(Number(text))) {
      values[name] = Number(text);
    } else if (type === "boolean" && (text === "true" || text === "1")) values[name] = true;
    else if (type === "boolean" && (text === "false" || text === "0")) values[name] = false;
    else if (type === "object" || type === "array") values[name] = parsedOrText(text);
    else values[name] = text;
  }
  return values;
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export const queryInput = <T extends TSchema>(schema: T, query: Record<string, string | undefined>): Static<T> =>
  validated(schema, coerced(schema, query));

/** Without its parameters; "": the client does not say. */
export const mediaType = (request: Request): string =>
  request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";

export function isJson(request: Request): boolean {
  const type = mediaType(request);
  return type === "application/json" || type.endsWith("+json");
}

/** The JSON body and the query together; the body wins. An empty body is an empty object. */
export async function jsonInput<T extends TSchema>(
  schema: T,
  request: Request,
  query: Record<string, string | undefined>,
): Promise<Static<T>> {
  const bytes = await readJson(request);
  const type = mediaType(request);
  // curl -d says "form" for whatever it sends: what counts is that it is JSON.
  if (bytes.byteLength > 0 && !["", "application/x-www-form-urlencoded"].includes(type) && !isJson(request)) {
    throw new Problem(415, "unsupported_media_type", `Send application/json, not ${type}.`);
  }
  return parsedInput(schema, bytes, query);
}

/** The same of a body that is here already. */
export function parsedInput<T extends TSchema>(
  schema: T,
  bytes: Uint8Array,
  query: Record<string, string | undefined>,
): Static<T> {
  if (bytes.byteLength === 0) return queryInput(schema, query);
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    const hint = jsonHint(new TextDecoder().decode(bytes));
    throw new Problem(400, "malformed_json", `The body is not valid JSON: ${hint}.`);
  }
  if (!isObject(body)) {
    throw new Problem(422, "invalid_input", 'The body must be a JSON object, such as {"pattern":"NORMAL"}.');
  }
  return mergedInput(schema, body, query);
}

/** What it mostly is. Nothing of the body is shown again: it may hold a secret. */
function jsonHint(text: string): string {
  if (!/^\s*[{["]/.test(text)) return 'it begins with a brace, as in {"pattern":"NORMAL"}';
  if (/[{,]\s*'/.test(text)) return "its names and texts want double quotes";
  if (/[{,]\s*[a-z_]/i.test(text)) return "its names and texts want double quotes (did the shell take them away?)";
  if (/,\s*[}\]]/.test(text)) return "no comma stands before a closing brace or bracket";
  return "check quotes, commas and braces";
}

export const isObject = (value: unknown): value is object =>
  value !== null && typeof value === "object" && !Array.isArray(value);

export const mergedInput = <T extends TSchema>(
  schema: T,
  body: object,
  query: Record<string, string | undefined>,
): Static<T> => validated(schema, { ...coerced(schema, query), ...body });

/** All that is being read just now, of all requests together. */
let heldBytes = 0;
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** Who sends no more than this is not refused because others send much, but for memory itself. */
const SMALL_BYTES = 64 * 1024;
const MAX_HELD_WITH_SMALL_BYTES = 2 * MAX_HELD_BYTES;

export function jsonTooLarge(): Problem {
  const detail = `JSON may have ${MAX_JSON_BYTES} bytes: send less. A sound goes as it is, or in a form.`;
  return new Problem(413, "body_too_large", detail);
}

export const readJson = (request: Request): Promise<Uint8Array> => readBody(request, MAX_JSON_BYTES, jsonTooLarge);

export function bodyTooLarge(limitBytes: number): Problem {
  const detail = `The body is larger than ${limitBytes} bytes (api.max_body_bytes): send less, or in pieces.`;
  return new Problem(413, "body_too_large", detail);
}

/** Reads a body in pieces, never keeping more than the limit. 413 beyond it, 429 when all together are too much. */
export async function readBody(
  request: Request,
  limitBytes: number,
  tooLarge: () => Problem,
): Promise<Uint8Array> {
  const counter = { bytes: 0 };
  try {
    const body = await readCounted(request, limitBytes, counter);
    if (!body) throw tooLarge();
    return body;
  } finally {
    heldBytes -= counter.bytes;
  }
}

/** null: it is longer. */
async function readCounted(
  request: Request,
  limitBytes: number,
  counter: { bytes: number },
): Promise<Uint8Array | null> {
  // Announced as too long: nothing of it is kept while it is read.
  const hopeless = Number(request.headers.get("content-length") ?? 0) > limitBytes;
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array(0);
  let kept: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.byteLength;
    if (total <= limitBytes && !hopeless) {
      kept.push(value);
      counter.bytes += value.byteLength;
      heldBytes += value.byteLength;
    } else {
      kept = [];
    }
    const bound = counter.bytes > SMALL_BYTES ? MAX_HELD_BYTES : MAX_HELD_WITH_SMALL_BYTES;
    if (heldBytes > bound) {
      await reader.cancel();
      const detail = "Too many uploads at once: send this one again in a moment.";
      throw new Problem(429, "too_many_uploads", detail, { headers: { "retry-after": "1" } });
    }
    if (total > MAX_DISCARDED_BYTES) {
      await reader.cancel();
      break;
    }
  }
  if (total > limitBytes) return null;
  const [only] = kept;
  if (kept.length === 1 && only) return only;
  const whole = new Uint8Array(total);
  let at = 0;
  for (const piece of kept) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** A verb without a body: one that brings anything all the same is told so. */
export const Nothing = Type.Object({}, { additionalProperties: false });

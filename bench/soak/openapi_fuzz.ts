/**
 * Requests made up from the OpenAPI text: each operation with values that its schemas allow, nearly allow, and never
 * would. Pure: randomness comes in.
 */
export type Random = () => number;

export interface MadeUpRequest {
  operation: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer> | null;
  /** Statuses that the text promises, and in which media types. */
  promised: ReadonlyMap<number, readonly string[]>;
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
}
interface Parameter {
  name: string;
  in: string;
  schema: Schema;
  example?: unknown;
}
interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema; example?: unknown }> };
  /** $ref: a problem. */
  responses: Record<string, { $ref?: string; content?: Record<string, unknown> }>;
}
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>;
}

/** xorshift32: the same seed, the same requests. */
export function randomFrom(seed: number): Random {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export const PROBLEM = "application/problem+json";

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

const NASTY: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.1,
  -0,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  4_294_967_296,
  Number.MIN_VALUE,
  "",
  " ",
  "0",
  "-1",
  "1e9",
  "true",
  "null",
  "NaN",
  "\u0000",
  "\u202e",
  "😀",
  "a".repeat(300),
  "%00",
  "../../etc/passwd",
  "<script>",
  "' OR 1=1 --",
  "$(id)",
  "\r\nX-Injected: 1",
  "__proto__",
  "constructor",
  [],
  {},
  [[]],
  [null],
  { a: { b: { c: [] } } },
  Array.from({ length: 50 }, (_, i) => i),
  { __proto__: 1 },
  "9".repeat(40),
]; // prettier-ignore

function value(random: Random, schema: Schema | undefined, depth = 0): unknown {
  if (!schema || depth > 4 || random() < 0.15) return pick(random, NASTY);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum && schema.enum.length > 0) return pick(random, schema.enum);
  if (schema.anyOf && schema.anyOf.length > 0) return value(random, pick(random, schema.anyOf), depth + 1);
  if (schema.examples && random() < 0.4) return pick(random, schema.examples);
  switch (schema.type) {
    case "object": {
      const made: Record<string, unknown> = {};
      for (const [name, property] of Object.entries(schema.properties ?? {}))
        if (random() < 0.6) made[name] = value(random, property, depth + 1);
      if (random() < 0.1) made[pick(random, ["unknown", "__proto__", "constructor", ""])] = pick(random, NASTY);
      return made;
    }
    case "array":
      return Array.from({ length: Math.floor(random() * 5) }, () => value(random, schema.items, depth + 1));
    case "integer":
    case "number": {
      const low = schema.minimum ?? 0;
      const high = schema.maximum ?? 3000;
      return pick(random, [
        low,
        high,
        low - 1,
        high + 1,
        low + Math.floor(random() * (high - low)),
        random() * high,
      ]);
    }
    case "boolean":
      return random() < 0.5;
    default:
      return pick(random, [
        "1",
        "NORMAL",
        "440",
        "x".repeat(Math.floor(random() * 80)),
        String(random()),
        "#",
        "dial",
      ]);
  }
}

const text = (given: unknown): string =>
  typeof given === "string" ? given : (JSON.stringify(given) ?? "undefined");
const bytes = (random: Random, length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, () => random() * 256);

function jsonBody(random: Random, schema: Schema, example: unknown): string | Uint8Array<ArrayBuffer> {
  const kind = random();
  if (kind < 0.1) return bytes(random, Math.floor(random() * 200));
  if (kind < 0.2)
    return pick(random, ["", "{", "[1,", '{"a":1,"a":2}', '"', "nul", `${"[".repeat(3000)}`, "{}garbage"]);
  if (kind < 0.3 && example !== undefined) {
    const whole = JSON.stringify(example);
    const at = Math.floor(random() * whole.length);
    return whole.slice(0, at) + pick(random, ["", "\u0000", "9", "}", '"']) + whole.slice(at + 1);
  }
  if (kind < 0.45 && example !== undefined) return JSON.stringify(example);
  return JSON.stringify(value(random, schema)) ?? "null";
}

const soundBody = (random: Random): Uint8Array<ArrayBuffer> => {
  const made = bytes(random, 2 * Math.floor(random() * 400) + (random() < 0.2 ? 1 : 0));
  const magic = pick(random, ["", "RIFF", "OggS", "fLaC", "ID3", ".snd", "\xff\xfb"]);
  for (let i = 0; i < magic.length && i < made.length; i++) made[i] = magic.charCodeAt(i);
  return made;
};

/** Some forms that are one, and some that are cut off or hold something else. */
function formBody(random: Random, schema: Schema): Uint8Array<ArrayBuffer> {
  const names = [...Object.keys(schema.properties ?? {}), "other"];
  const parts = Array.from({ length: Math.floor(random() * 4) }, () => {
    const name = pick(random, names);
    const { type } = schema.properties?.[name] ?? {};
    const file = type === "string" || random() < 0.1;
    const content = file ? soundBody(random) : Buffer.from(text(value(random, schema.properties?.[name])));
    const head = `--form\r\nContent-Disposition: form-data; name="${name}"${file ? '; filename="x"' : ""}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), content, Buffer.from("\r\n")]);
  });
  const whole = Buffer.concat([...parts, Buffer.from("--form--\r\n")]);
  return new Uint8Array(random() < 0.8 ? whole : whole.subarray(0, random() * whole.length));
}

/** Made once for a text; each call is one request. */
export function requestMaker(
  api: OpenApi,
  random: Random,
  leaveOut: (operation: string) => boolean,
): () => MadeUpRequest {
  const operations = Object.entries(api.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        method: method.toUpperCase(),
        operation,
        promised: new Map<number, readonly string[]>([
          ...[400, 404, 405, 413, 415, 422, 429].map((status) => [status, [PROBLEM]] as const),
          ...Object.entries(operation.responses).map(
            ([status, { $ref, content = {} }]) =>
              [Number(status), $ref === undefined ? Object.keys(content) : [PROBLEM]] as const,
          ),
        ]),
      })),
    )
    .filter(({ name }) => !leaveOut(name));
  return () => {
    const { name, path, method, operation, promised } = pick(random, operations);
    const headers: Record<string, string> = {};
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
      const known = operation.parameters?.find((each) => each.name === parameter && each.in === "path");
      const fine = parameter === "line" ? String(1 + Math.floor(random() * 4)) : text(known?.example ?? "x");
      return random() < 0.8 ? fine : encodeURIComponent(text(pick(random, NASTY)));
    });
    const query = (operation.parameters ?? [])
      .filter((each) => each.in === "query" && random() < 0.3)
      .map(({ name: key, schema }) => `${key}=${encodeURIComponent(text(value(random, schema)))}`);
    if (random() < 0.05) query.push(`${encodeURIComponent(text(pick(random, NASTY)))}=${random()}`);
    let body: MadeUpRequest["body"] = null;
    const content = Object.entries(operation.requestBody?.content ?? {});
    if (content.length > 0 && random() < 0.9) {
      const [type, { schema, example }] = pick(random, content);
      headers["content-type"] =
        random() < 0.9 ? type : pick(random, ["text/xml", "application/json; charset=x", "", "a/b"]);
      if (type === "multipart/form-data" && random() < 0.9) {
        headers["content-type"] = `${type}; boundary=form`;
        body = formBody(random, schema);
      } else body = type === "application/json" ? jsonBody(random, schema, example) : soundBody(random);
    }
    return {
      operation: name,
      method,
      path: query.length > 0 ? `${filled}?${query.join("&")}` : filled,
      headers,
      body,
      promised,
    };
  };
}

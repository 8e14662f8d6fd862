/** Is an answer what the OpenAPI text promises: its status, its media type, its fields and no others? */
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import { openApi } from "../../src/http/docs/openapi";
import { routesOf } from "../../src/http/routes/routes";

type Json = Record<string, unknown>;
interface Media {
  schema?: Json;
}
interface Promised {
  $ref?: string;
  content?: Record<string, Media>;
}
interface Text {
  paths: Record<string, Record<string, { responses: Record<string, Promised> }>>;
  components: { responses: Record<string, Promised> };
}

const text = JSON.parse(new TextDecoder().decode(await openApi("0.0.0", routesOf(true)))) as Text;
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
const compiled = new Map<Media, ValidateFunction>();
const operations = Object.entries(text.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses }]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    // What has no braces is meant before what has.
    braces: path.split("{").length,
    responses,
  })),
);
operations.sort((a, b) => a.braces - b.braces);

/** An object has the properties that are named and no others, where any are. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== "object") return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]));
  const names = parts.type === "object" && parts.properties && parts.additionalProperties === undefined;
  return names ? { ...parts, additionalProperties: false } : parts;
}

function checkOf(media: Media): ValidateFunction {
  let check = compiled.get(media);
  if (!check) {
    check = ajv.compile(closed(media.schema ?? {}) as Json);
    compiled.set(media, check);
  }
  return check;
}

/** null: it is, or it is of no operation. */
export function brokenAnswer(method: string, url: string, answer: Response, body: unknown): string | null {
  const { pathname } = new URL(url);
  const operation = operations.find((one) => one.method === method && one.path.test(pathname));
  if (!operation) return null;
  const promised = operation.responses[answer.status];
  const what = `${operation.name} answered ${answer.status}`;
  if (!promised) return `${what}, which is not promised: ${JSON.stringify(body)}`;
  const { content } = promised.$ref
    ? (text.components.responses[promised.$ref.split("/").at(-1) as string] as Promised)
    : promised;
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  if (!content || !type.endsWith("json")) return null;
  const media = content[type];
  if (!media) return `${what} as ${type}, which is not promised`;
  const check = checkOf(media);
  return check(body) ? null : `${what}: ${ajv.errorsText(check.errors)}: ${JSON.stringify(body)}`;
}

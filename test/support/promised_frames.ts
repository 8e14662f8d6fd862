/** Is a frame of /ws what the AsyncAPI text promises, with no field besides? */
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { asyncApi } from "../../src/http/docs/asyncapi";

interface Message {
  payload: { properties: Record<string, unknown> };
}

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
const { messages } = asyncApi("0.0.0").components as { messages: Record<string, Message> };
const checks = new Map(
  Object.entries(messages).map(([type, { payload }]) => [
    type,
    // ?stamp=1 of our own measurements.
    ajv.compile({
      ...payload,
      properties: { ...payload.properties, stamp_ns: { type: "number" } },
      additionalProperties: false,
    }),
  ]),
);

/** null: it is. */
export function brokenPromise(frame: Record<string, unknown>): string | null {
  const check = checks.get(String(frame.type));
  if (!check) return `${frame.type} is no message of the AsyncAPI text`;
  return check(frame) ? null : `${JSON.stringify(frame)}: ${ajv.errorsText(check.errors)}`;
}

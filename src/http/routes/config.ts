/** The configuration: as it acts, and changed while it does. */
import { Type } from "@sinclair/typebox";
import type { Endpoint } from "../endpoint";
import { jsonInput } from "../input";
import { Problem } from "../problem";

const Keys = (description: string) => Type.Array(Type.String(), { description });

const PatchInput = Type.Object(
  {},
  {
    additionalProperties: true,
    description: "Keys as in docs/config.example.yml; null takes one away, a list is replaced whole (RFC 7396)",
  },
);
const PatchAnswer = Type.Object({
  status: Type.Literal("success"),
  changed: Keys("What is another value now"),
  applied: Keys("Of those, what acts already"),
  restart_required: Keys("What acts at the next start, of this change and of those before"),
  overridden: Keys("Written, but the environment or the command line says otherwise"),
});

const STATUS = { no_config_file: 409, config_broken: 409, config_not_writable: 503 } as const;

export const CONFIG_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/config",
    scope: "server",
    tag: "Server",
    access: "admin",
    summary: "The running configuration",
    description: "As it acts: what waits for a restart is not in it yet. Secrets are shown as ***.",
    answer: Type.Object({}, { additionalProperties: true }),
    problems: [],
    handle: ({ dependencies }) => dependencies.config.shown(),
  },
  {
    method: "PATCH",
    path: "/config",
    scope: "server",
    tag: "Server",
    access: "admin",
    summary: "Change the configuration",
    description:
      "A JSON merge patch into the configuration file: checked whole, written whole or not at all, with every comment " +
      "in it kept. Levels of the log, max_ring_seconds, dial tone, off_hook_timeout, caller_id.scheme and recording " +
      "act at once; the rest at the next start. 409 where the server was started without a file.",
    body: PatchInput,
    example: { logging: { level: "info" } },
    answer: PatchAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, dependencies }) => {
      const patch = await jsonInput(PatchInput, request, query);
      const result = await dependencies.config.patch(patch as Record<string, unknown>);
      if ("done" in result) return { status: "success", ...result.done };
      if ("refused" in result) {
        const { code, message } = result.refused;
        throw new Problem(STATUS[code], code, message);
      }
      const errors = result.wrong.map(({ key, message }) => ({ field: key, message }));
      const detail = `${errors.map(({ field, message }) => `${field} ${message}`).join("; ")}.`;
      throw new Problem(422, "invalid_input", detail, { errors });
    },
  },
];

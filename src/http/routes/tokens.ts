/** API tokens: who may what. */
import { Type } from "@sinclair/typebox";
import { timestamp } from "../../events/published";
import type { Token } from "../../security/token";
import { TokenFileError } from "../../security/token_file";
import { TokenError, type TokenFault } from "../../security/token_registry";
import type { Endpoint } from "../endpoint";
import { jsonInput } from "../input";
import { Problem } from "../problem";
import { MadeTokenAnswer, TokenAnswer, TokenInput } from "../schema_tokens";

const DAY_MS = 24 * 60 * 60 * 1000;
const STATUS: Record<TokenFault, number> = {
  token_exists: 409,
  configured_token: 409,
  too_many_tokens: 409,
  unknown_token: 404,
};

const shown = ({ name, scope, lines, created_at, expires_at }: Token) => ({
  name,
  scope,
  lines,
  created_at,
  expires_at,
});

function unavailable(code: string | null = null): Problem {
  const full = code === "ENOSPC" || code === "EDQUOT";
  const cure = full ? "make room on the disk of state_dir" : "give the server a state_dir that it may write";
  return new Problem(503, "tokens_unavailable", `Nothing is changed, tokens cannot be written now: ${cure}.`);
}

/** What the registry refuses, as an answer. */
function attempted<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof TokenError) throw new Problem(STATUS[error.fault], error.fault, error.message);
    if (error instanceof TokenFileError) throw unavailable(error.code);
    throw error;
  }
}

const common = { scope: "server", tag: "Tokens", access: "admin" } as const;

export const TOKEN_ENDPOINTS: readonly Endpoint[] = [
  {
    ...common,
    method: "GET",
    path: "/tokens",
    summary: "Who may what",
    description: "Names, scopes and times; a token itself is never shown again.",
    answer: Type.Object({ tokens: Type.Array(TokenAnswer) }),
    problems: [],
    handle: ({ dependencies: { tokens } }) => ({
      tokens: tokens.list().map(({ token, usedAtMs }) => ({
        ...shown(token),
        configured: token.created_at === null,
        last_used_at: usedAtMs === null ? null : timestamp(usedAtMs),
      })),
    }),
  },
  {
    ...common,
    method: "POST",
    path: "/tokens",
    summary: "Make a token",
    description:
      "From the first token on, every request but GET /health and these pages needs one, so the first made here must be " +
      "of scope admin. The token is shown this once. `dahdi-phone-api token create` does the same.",
    body: TokenInput,
    example: { name: "kitchen-tablet", scope: "admin" },
    answer: MadeTokenAnswer,
    problems: [400, 409, 415, 422, 503],
    handle: async ({ request, query, dependencies: { tokens, exchange } }) => {
      const input = await jsonInput(TokenInput, request, query);
      const unknown = input.lines?.filter((line) => !exchange.lines.includes(line)) ?? [];
      const faults = [
        ...(tokens.list().length === 0 && input.scope !== "admin"
          ? [{ field: "scope", message: "must be admin for the first token: nobody could make another" }]
          : []),
        ...(unknown.length > 0
          ? [{ field: "lines", message: `has lines that are not here: ${unknown.join(", ")}` }]
          : []),
      ];
      if (faults.length > 0) {
        const detail = `${faults.map(({ field, message }) => `${field} ${message}`).join("; ")}.`;
        throw new Problem(422, "invalid_input", detail, { errors: faults });
      }
      const nowMs = Date.now();
      const { name, scope, lines = null, expires_in_days } = input;
      const expiresAtMs = expires_in_days === undefined ? null : nowMs + expires_in_days * DAY_MS;
      const made = attempted(() => tokens.create({ name, scope, lines, expiresAtMs }, nowMs));
      if (!made) throw unavailable();
      return Response.json(
        { status: "success", ...shown(made.token), token: made.secret },
        { headers: { "cache-control": "no-store" } },
      );
    },
  },
  {
    ...common,
    method: "DELETE",
    path: "/tokens/:name",
    summary: "Revoke a token",
    description: "At once: its WebSockets and event streams are closed.",
    answer: { mediaType: "application/json" },
    success: 204,
    problems: [404, 409, 503],
    handle: ({ params, dependencies: { tokens } }) => {
      attempted(() => tokens.revoke(params.name ?? ""));
      return new Response(null, { status: 204 });
    },
  },
];

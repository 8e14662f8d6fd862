/** API tokens in JSON. */
import { Type } from "@sinclair/typebox";
import { SCOPES, TOKEN_NAME } from "../security/token";

const name = Type.String({
  pattern: TOKEN_NAME.source,
  description: "Letters, digits, dots, dashes and underscores. It stands in the audit log.",
});
const scope = Type.Union(
  SCOPES.map((one) => Type.Literal(one)),
  {
    description:
      "read: GET and events. control: also everything that acts on a telephone. admin: also tokens, configuration.",
  },
);
const lines = Type.Array(Type.Integer({ minimum: 1, maximum: 1023 }), { minItems: 1, maxItems: 64 });

export const TokenInput = Type.Object(
  {
    name,
    scope,
    lines: Type.Optional({ ...lines, description: "The only lines that it may use; omitted: all." }),
    expires_in_days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3650, description: "Omitted: until it is revoked." }),
    ),
  },
  { additionalProperties: false },
);

const timeOrNull = Type.Union([Type.String(), Type.Null()], { examples: ["2026-01-29T12:00:00.000Z"] });
const shown = {
  name,
  scope,
  lines: Type.Union([lines, Type.Null()]),
  created_at: timeOrNull,
  expires_at: timeOrNull,
};

export const TokenAnswer = Type.Object({
  ...shown,
  configured: Type.Boolean({ description: "Of security.api_tokens: it is revoked there." }),
  last_used_at: Type.Union([Type.String(), Type.Null()], {
    description: "Since the start of the server.",
    examples: ["2026-01-29T12:00:00.000Z"],
  }),
});
export const MadeTokenAnswer = Type.Object({
  status: Type.Literal("success"),
  ...shown,
  token: Type.String({ description: "Shown this once: its hash alone is kept." }),
});

/** Looked at before the query is: a browser cannot send headers with a WebSocket or an EventSource. */
export const QueryToken = Type.Optional(Type.String({ description: "An API token, where no header can be sent" }));

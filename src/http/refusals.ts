/** Answers to who may not, or not so often. */
import { secondsUntil } from "../security/rate_limiter";
import type { Scope } from "../security/token";
import { Problem } from "./problem";

const REALM = 'Bearer realm="dahdi-phone-api"';

export const noToken = (): Problem =>
  new Problem(
    401,
    "authentication_required",
    "Send the header Authorization: Bearer TOKEN (dahdi-phone-api token create makes one). Only WebSockets and /events/stream take ?token=.",
    {
      headers: { "www-authenticate": REALM },
    },
  );

export const wrongToken = (): Problem =>
  new Problem(401, "invalid_token", "This token is not known, was revoked, or has expired.", {
    headers: { "www-authenticate": `${REALM}, error="invalid_token"` },
  });

export const insufficientScope = (needed: Scope, held: Scope): Problem =>
  new Problem(403, "insufficient_scope", `This needs a token of scope ${needed}; this one has ${held}.`, {
    headers: { "www-authenticate": `${REALM}, error="insufficient_scope", scope="${needed}"` },
  });

export const lineNotAllowed = (lines: readonly number[]): Problem =>
  new Problem(
    403,
    "line_not_allowed",
    `This token is for ${lines.length > 1 ? "lines" : "line"} ${lines.join(", ")} alone.`,
  );

const retryAfter = (inMs: number): { headers: Record<string, string> } => ({
  headers: { "retry-after": String(Math.max(1, secondsUntil(inMs))) },
});

export const tooManyRequests = (retryInMs: number): Problem =>
  new Problem(
    429,
    "rate_limited",
    "Too many requests (api.rate_limit): wait as long as Retry-After says.",
    retryAfter(retryInMs),
  );

export const tooManyAttempts = (retryInMs: number): Problem =>
  new Problem(
    429,
    "too_many_attempts",
    "Too many wrong tokens came from this address: wait as long as Retry-After says.",
    retryAfter(retryInMs),
  );

/** Of connections that last: somebody must leave first. */
export const tooManyClients = (detail: string): Problem =>
  new Problem(429, "too_many_clients", detail, { headers: { "retry-after": "5" } });

/** The keys of one webhook. */

import { signingKey } from "../events/webhooks/signature";
import { LINE_EVENT_TYPES } from "../line/events";
import { isPrivateAddress, literalAddress } from "../network/address";
import { flag, type Leaf, type ListOf, whole } from "./leaf";

export interface WebhookConfig {
  url: string;
  /** whsec_… of Standard Webhooks. */
  secret: string;
  /** null: all. */
  types: string[] | null;
  lines: number[] | null;
  allow_private: boolean;
  park_after_hours: number;
}

const url: Leaf = {
  value: undefined,
  check: (given) => {
    const parsed = typeof given === "string" && URL.canParse(given) ? new URL(given) : null;
    if (!parsed || !["http:", "https:"].includes(parsed.protocol)) {
      return { wrong: "must be a URL that begins with https:// or http://" };
    }
    if (parsed.username || parsed.password || parsed.hash) {
      return { wrong: "must have no user, password or #: requests are signed with the secret" };
    }
    return { ok: parsed.href };
  },
};
const MAKE_SECRET = 'echo "whsec_$(openssl rand -base64 24)"';
const secret: Leaf = {
  value: undefined,
  check: (given) =>
    typeof given === "string" && signingKey(given) !== null
      ? { ok: given }
      : { wrong: `must be whsec_ and 24 to 64 random bytes as base64: ${MAKE_SECRET}` },
};
const types: Leaf = {
  value: null,
  check: (given) =>
    Array.isArray(given) && given.length > 0 && given.every((type) => LINE_EVENT_TYPES.includes(type))
      ? { ok: given }
      : { wrong: `must be a list of ${LINE_EVENT_TYPES.join(", ")}` },
};
const lines: Leaf = {
  value: null,
  check: (given) =>
    Array.isArray(given) && given.length > 0 && given.every((line) => Number.isInteger(line) && line > 0)
      ? { ok: given }
      : { wrong: "must be a list of lines, such as [1, 2]" },
};

export const WEBHOOKS: ListOf = {
  item: { url, secret, types, lines, allow_private: flag(false), park_after_hours: whole(24, 1, 8760) },
  required: ["url", "secret"],
  requiredHints: { secret: MAKE_SECRET },
  checkItem: (item, before) => {
    if (before.some((other) => other.url === item.url)) {
      return [{ key: "url", wrong: "stands twice: one webhook has one place in the log" }];
    }
    const { hostname } = new URL(item.url as string);
    const address = literalAddress(hostname);
    const isPrivate = hostname === "localhost" || (address !== null && isPrivateAddress(address));
    if (!isPrivate || item.allow_private === true) return [];
    return [{ key: "url", wrong: "is a private address: set allow_private: true if that is wanted" }];
  },
};

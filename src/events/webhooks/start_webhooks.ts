/** The configured webhooks on the real network. */
import type { LineEventType } from "../../line/events";
import { signingKey } from "./signature";
import { Webhook, type WebhookDependencies } from "./webhook";

const HOUR_MS = 3_600_000;

export interface WebhookDefinition {
  url: string;
  secret: string;
  types: readonly string[] | null;
  lines: readonly number[] | null;
  allow_private: boolean;
  park_after_hours: number;
}

export async function startWebhooks(
  definitions: readonly WebhookDefinition[],
  dependencies: Pick<WebhookDependencies, "events" | "cursors" | "userAgent" | "log">,
): Promise<Webhook[]> {
  if (definitions.length === 0) return [];
  // TLS and name resolution are loaded only where somebody is to be told: the start without them is faster.
  const { postWebhook } = await import("./post");
  return definitions.map(({ url, secret, types, lines, allow_private, park_after_hours }, i) => {
    const settings = {
      url,
      key: signingKey(secret) ?? new Uint8Array(),
      filter: { types: types === null ? null : new Set(types as LineEventType[]), lines },
      allowPrivate: allow_private,
      parkAfterMs: park_after_hours * HOUR_MS,
    };
    return new Webhook(i + 1, settings, {
      ...dependencies,
      post: postWebhook,
      nowMs: Date.now,
      monotonicMs: () => performance.now(),
      after: (ms, call) => {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
      random: Math.random,
    });
  });
}

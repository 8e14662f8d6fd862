/** The webhooks of the configuration: how they are, and another try. */
import { Type } from "@sinclair/typebox";
import type { Endpoint } from "../endpoint";
import { jsonInput } from "../input";
import { Problem } from "../problem";
import { ResumeInput, SuccessAnswer, WebhookAnswer } from "../schema";

export const WEBHOOK_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/webhooks",
    scope: "server",
    tag: "Events",
    summary: "The webhooks, and what became of their deliveries",
    description:
      "They stand in the configuration. Each is sent its events in order, until it answers 2xx, signed as Standard " +
      "Webhooks has it; state is delivering, retrying, or parked: given up after park_after_hours.",
    answer: Type.Object({ webhooks: Type.Array(WebhookAnswer) }),
    problems: [],
    handle: ({ dependencies: { webhooks } }) => ({ webhooks: webhooks.map((webhook) => webhook.status()) }),
  },
  {
    method: "POST",
    path: "/webhooks/resume",
    scope: "server",
    access: "admin",
    tag: "Events",
    summary: "Try parked webhooks again",
    description: "From where they were. Those that wait for their next attempt make it now.",
    body: ResumeInput,
    example: {},
    answer: SuccessAnswer,
    problems: [400, 404, 415, 422],
    handle: async ({ request, query, dependencies: { webhooks } }) => {
      const { webhook } = await jsonInput(ResumeInput, request, query);
      const one = webhook === undefined ? undefined : webhooks[webhook - 1];
      if (webhook !== undefined && !one) {
        throw new Problem(404, "unknown_webhook", "There is no such webhook: GET /webhooks lists them.");
      }
      for (const each of one ? [one] : webhooks) each.resume();
      return { status: "success" };
    },
  },
];

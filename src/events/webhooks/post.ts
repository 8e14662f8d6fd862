/** One delivery: a POST of which the status is all that matters. */
import { httpExchange } from "../../network/http_exchange";
import { HttpFailure } from "../../network/http_message";

export interface WebhookRequest {
  url: URL;
  headers: Record<string, string>;
  body: string;
  allowPrivate: boolean;
  timeoutMs: number;
  signal: AbortSignal;
  /** PEM; omitted: the certificates that the system trusts. */
  ca?: string;
}

export interface WebhookAnswer {
  status: number;
  /** Seconds, of Retry-After; null where there is none. */
  retryAfterS: number | null;
}

export type PostWebhook = (request: WebhookRequest) => Promise<WebhookAnswer>;

/** Rejects where there is no answer in time: with one sentence, without the URL. */
export async function postWebhook(request: WebhookRequest): Promise<WebhookAnswer> {
  const limit = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  const given = new Promise<never>((_, reject) => {
    limit.addEventListener("abort", () => {
      const stopped = request.signal.aborted;
      reject(new Error(stopped ? "stopped" : `no answer within ${request.timeoutMs} ms`));
    });
  });
  const answered = post(request, limit);
  answered.catch(() => undefined);
  return await Promise.race([answered, given]);
}

async function post({ url, headers, body, allowPrivate, ca }: WebhookRequest, signal: AbortSignal) {
  const answer = await httpExchange({
    method: "POST",
    url,
    headers: { ...headers, "content-type": "application/json" },
    body,
    allowPrivate,
    signal,
    ...(ca === undefined ? {} : { ca }),
  }).catch((error: unknown) => {
    const isPrivate = error instanceof HttpFailure && error.code === "private";
    throw isPrivate ? new Error(`${error.message}: allow_private permits that`) : error;
  });
  answer.close();
  const after = answer.headers.get("retry-after") ?? "";
  return { status: answer.status, retryAfterS: /^\d{1,7}$/.test(after) ? Number(after) : null };
}

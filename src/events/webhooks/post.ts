/**
 * One POST to one address that was looked at: the name is resolved here, and the connection goes to the address that
 * was allowed, so that a name which changes between two looks leads nowhere. No redirect is followed.
 */
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { isPrivateAddress, literalAddress } from "./address";

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

/** A status line and headers are no longer than this. */
const MAX_HEAD_BYTES = 16 * 1024;

async function addressOf(host: string, allowPrivate: boolean): Promise<string> {
  const literal = literalAddress(host);
  const addresses =
    literal !== null ? [literal] : (await lookup(host, { all: true })).map(({ address }) => address);
  const allowed = addresses.find((address) => allowPrivate || !isPrivateAddress(address));
  if (allowed === undefined) throw new Error("its address is private: allow_private permits that");
  return allowed;
}

/** Rejects where there is no answer in time: with one sentence, without the URL. */
export async function postWebhook(request: WebhookRequest): Promise<WebhookAnswer> {
  const limit = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  const given = new Promise<never>((_, reject) => {
    limit.addEventListener("abort", () => {
      const stopped = request.signal.aborted;
      reject(new Error(stopped ? "stopped" : `no answer within ${request.timeoutMs} ms`));
    });
  });
  const exchanged = exchange(request, limit);
  exchanged.catch(() => undefined);
  return await Promise.race([exchanged, given]);
}

async function exchange(request: WebhookRequest, limit: AbortSignal): Promise<WebhookAnswer> {
  const { url, ca } = request;
  const address = await addressOf(url.hostname, request.allowPrivate);
  const secure = url.protocol === "https:";
  const port = Number(url.port || (secure ? 443 : 80));
  if (limit.aborted) throw new Error("stopped");
  return await new Promise<WebhookAnswer>((resolve, reject) => {
    const name = literalAddress(url.hostname) !== null ? {} : { servername: url.hostname };
    const socket = secure
      ? connectTls({ host: address, port, ...name, ...(ca === undefined ? {} : { ca }) })
      : connect({ host: address, port });
    const stop = (): void => {
      socket.destroy();
    };
    limit.addEventListener("abort", stop);
    const done = (settle: () => void): void => {
      limit.removeEventListener("abort", stop);
      socket.destroy();
      settle();
    };
    socket.on(secure ? "secureConnect" : "connect", () => socket.write(text(request)));
    let head = "";
    socket.on("data", (bytes: Buffer) => {
      head += bytes.toString("latin1");
      const answer = parsed(head);
      if (answer) done(() => resolve(answer));
      else if (head.length > MAX_HEAD_BYTES) done(() => reject(new Error("its answer is not HTTP")));
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      done(() => reject(new Error(`cannot be reached (${error.code ?? error.message})`))),
    );
    socket.on("close", () => done(() => reject(new Error("closed the connection without an answer"))));
  });
}

function text({ url, headers, body }: WebhookRequest): string {
  const all = {
    host: url.host,
    ...headers,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

/** null: not all of it is there yet. */
function parsed(head: string): WebhookAnswer | null {
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
  if (status >= 100 && status < 200) return parsed(head.slice(end + 4));
  const after = /\r\nretry-after: *(\d{1,7})\r\n/i.exec(head.slice(0, end + 2))?.[1];
  return { status, retryAfterS: after === undefined ? null : Number(after) };
}

/**
 * One request to one address that was looked at: the name is resolved here, and the connection goes to the address that
 * was allowed, so that a name which changes between two looks leads nowhere. No redirect is followed. What arrives is
 * read no faster than it is used.
 */
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { isPrivateAddress, literalAddress } from "./address";
import { HttpFailure, type HttpHead, readHttp } from "./http_message";

export interface HttpRequest {
  method: "GET" | "POST";
  url: URL;
  headers: Record<string, string>;
  body: string;
  allowPrivate: boolean;
  /** Ends it wherever it is, its body as well. */
  signal: AbortSignal;
  /** PEM; omitted: the certificates that the system trusts. */
  ca?: string;
  /** The addresses of a name; omitted: as the system knows them. */
  resolve?: (host: string) => Promise<readonly string[]>;
}

export interface HttpAnswer extends HttpHead {
  /** Of the body; null: not known beforehand. */
  lengthBytes: number | null;
  /** Throws HttpFailure where it breaks off. */
  body: AsyncIterable<Uint8Array>;
  close(): void;
}

const failure = (error: unknown, signal: AbortSignal): HttpFailure => {
  if (error instanceof HttpFailure) return error;
  if (signal.aborted) return new HttpFailure("stopped", "stopped");
  const { code, message } = error as NodeJS.ErrnoException;
  return new HttpFailure("unreachable", `cannot be reached (${code ?? message})`);
};

/** Those of a host that may be asked, in the order of the resolver. */
async function addressesOf({ url, allowPrivate, resolve = resolved }: HttpRequest): Promise<string[]> {
  const literal = literalAddress(url.hostname);
  const addresses = literal !== null ? [literal] : await resolve(url.hostname);
  const allowed = addresses.filter((address) => allowPrivate || !isPrivateAddress(address));
  if (allowed.length === 0) throw new HttpFailure("private", "its address is private");
  return allowed;
}

async function resolved(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** Rejects with HttpFailure. */
export async function httpExchange(request: HttpRequest): Promise<HttpAnswer> {
  const { signal } = request;
  try {
    const socket = await connected(await addressesOf(request), request);
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop);
    socket.once("close", () => signal.removeEventListener("abort", stop));
    try {
      socket.write(text(request));
      const answer = await readHttp(socket);
      if (answer === null) throw new HttpFailure("broken", "closed the connection without an answer");
      return { ...answer, body: toTheEnd(answer.body, socket, signal), close: stop };
    } catch (error) {
      stop();
      throw error;
    }
  } catch (error) {
    throw failure(error, signal);
  }
}

async function* toTheEnd(
  body: AsyncIterable<Uint8Array>,
  socket: Socket,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw failure(error, signal);
  } finally {
    socket.destroy();
  }
  // A socket that was destroyed from here ends as if all of it had come.
  if (signal.aborted) throw failure(null, signal);
}

/** The first that answers. */
async function connected(addresses: readonly string[], request: HttpRequest): Promise<Socket> {
  let refused: unknown = null;
  for (const address of addresses) {
    try {
      return await connectedTo(address, request);
    } catch (error) {
      refused ??= error;
    }
    if (request.signal.aborted) break;
  }
  throw refused;
}

function connectedTo(address: string, { url, ca, signal }: HttpRequest): Promise<Socket> {
  const secure = url.protocol === "https:";
  const port = Number(url.port || (secure ? 443 : 80));
  const name = literalAddress(url.hostname) !== null ? {} : { servername: url.hostname };
  return new Promise<Socket>((resolve, reject) => {
    if (signal.aborted) throw new HttpFailure("stopped", "stopped");
    const socket = secure
      ? connectTls({ host: address, port, ...name, ...(ca === undefined ? {} : { ca }) })
      : connect({ host: address, port });
    const stop = (): void => {
      socket.destroy();
      reject(new HttpFailure("stopped", "stopped"));
    };
    signal.addEventListener("abort", stop);
    socket.on("error", reject); // for ever: an error that nobody listens to would end the process
    socket.once("close", () => reject(new HttpFailure("broken", "closed the connection without an answer")));
    socket.once(secure ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", stop);
      resolve(socket);
    });
  });
}

function text({ method, url, headers, body }: HttpRequest): string {
  const all = {
    host: url.host,
    ...headers,
    ...(method === "GET" ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

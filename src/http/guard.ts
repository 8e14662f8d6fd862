/**
 * What every request passes before a route sees it: by whose name it calls us (DNS rebinding), from which web page,
 * how often, with which token, whether it is one that was sent twice. And after: headers, and the audit log.
 */
import type { Log, LogFields } from "../observe/log";
import { authorityOf, type HostCheck } from "../security/host_check";
import type { OriginCheck } from "../security/origin_check";
import { clientOf, isLoopback, RateLimiter, secondsUntil } from "../security/rate_limiter";
import { covers, type Scope, type Token } from "../security/token";
import type { TokenRegistry } from "../security/token_registry";
import { tellAudit } from "./audit";
import { isOpen, presented } from "./credentials";
import { type Endpoint, isOfLine, neededScope } from "./endpoint";
import type { IdempotencyStore } from "./idempotency";
import { keepPassage, type Passage, passageOf, pathOf } from "./passage";
import { Problem, toProblem } from "./problem";
import {
  insufficientScope,
  lineNotAllowed,
  noToken,
  tooManyAttempts,
  tooManyRequests,
  wrongToken,
} from "./refusals";
import { REQUEST_ID_HEADER, requestIdOf } from "./watched_request";

/** Told of a request that no route saw: refused, a preflight, or answered as before. */
export type Counted = (method: string, status: number, seconds: number) => void;
export type Next = (request: Request) => Response | Promise<Response>;

/** What of Bun's server is needed. */
export interface AddressBook {
  requestIP(request: Request): { address: string } | null;
}

export interface GuardOptions {
  tokens: TokenRegistry;
  hosts: HostCheck;
  origins: OriginCheck;
  /** auto: 100 a second, loopback excepted; null: none. */
  rateLimit: { perSecond: number; burst: number; loopback: boolean } | null;
  idempotency: IdempotencyStore;
  audit: Log;
  /** Wall clock: of tokens that expire. */
  nowMs(): number;
  /** For what is counted in time: a clock that is set back must not shut anybody out. */
  monotonicMs(): number;
}

/** Wrong tokens of one address, and what is written of refusals: ten at once, then one in six seconds. */
const ATTEMPTS = { perSecond: 1 / 6, burst: 10 };

/** Of everybody who was not let in together, whoever they say they are: what the log has of them in a day is 20 MB. */
const TOLD_OF_ALL = { perSecond: 1, burst: 100 };

/** Tokens at addresses. */
const MAX_KNOWN = 4096;

const ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE";
const MS_PER_S = 1000;
const ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, X-Request-ID";
const EXPOSED_HEADERS =
  "RateLimit, RateLimit-Policy, Retry-After, Idempotency-Replayed, WWW-Authenticate, X-Request-ID";
const PREFLIGHT_MAX_AGE_S = "600";

export class Guard {
  readonly #attempts = new RateLimiter(ATTEMPTS);
  /** Tokens with where they were accepted, the newest last: one may well be used in two places. */
  readonly #knownAt = new Set<string>();
  /** Two, so that whoever has many addresses cannot have a token's measure forgotten. */
  readonly #addresses: RateLimiter | null;
  readonly #tokens: RateLimiter | null;
  readonly #toldOfAll = new RateLimiter(TOLD_OF_ALL);
  #untold = 0;
  /** Nothing of a GET is to be looked at but the name that it calls us by: unless there are tokens. */
  readonly #plainGets: boolean;

  constructor(private readonly options: GuardOptions) {
    this.#addresses = options.rateLimit ? new RateLimiter(options.rateLimit) : null;
    this.#tokens = options.rateLimit ? new RateLimiter(options.rateLimit) : null;
    this.#plainGets = !options.rateLimit && !options.origins.any;
  }

  handle(
    next: Next,
    request: Request,
    server: AddressBook | null,
    counted: Counted,
  ): Response | Promise<Response> {
    if (
      this.#plainGets &&
      request.method === "GET" &&
      !this.options.tokens.required &&
      this.options.hosts.allows(request.url)
    ) {
      return next(request);
    }
    return this.#pass(next, request, server, counted);
  }

  /** Made when it is asked for: most requests are answered without. */
  passage(request: Request, server: AddressBook | null): Passage {
    const known = passageOf(request);
    if (known) return known;
    const address = server?.requestIP(request)?.address ?? "";
    const passage: Passage = { address, token: null, line: null, code: null };
    keepPassage(request, passage);
    return passage;
  }

  async #pass(next: Next, request: Request, server: AddressBook | null, counted: Counted): Promise<Response> {
    const startedAtMs = this.options.monotonicMs();
    const passage = this.passage(request, server);
    const headers: Record<string, string> = {};
    let reachedRoute = false;
    const reached: Next = (passed) => {
      reachedRoute = true;
      return next(passed);
    };
    const response = await this.#answered(reached, request, passage, headers);
    if (!reachedRoute) {
      counted(request.method, response.status, (this.options.monotonicMs() - startedAtMs) / MS_PER_S);
    }
    if (!response) return response; // an upgraded WebSocket
    if (!response.headers.has(REQUEST_ID_HEADER)) headers[REQUEST_ID_HEADER] = requestIdOf(request);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    if (request.method !== "GET" && request.method !== "HEAD" && request.method !== "OPTIONS") {
      const { status } = response;
      if (reachedRoute || status < 400 || this.#mayTell(passage)) {
        this.#tellUntold();
        tellAudit(this.options.audit, request, passage, status, response.headers.get(REQUEST_ID_HEADER));
      } else this.#untold++;
    }
    return response;
  }

  /** Who is turned away at the door could otherwise push out of the log what he did before. */
  #mayTell({ token, address }: Passage): boolean {
    const now = this.options.monotonicMs();
    if (token) return this.#attempts.take(`refused ${token.name}`, now).admitted;
    return (
      this.#attempts.take(`refused at ${clientOf(address)}`, now).admitted &&
      this.#toldOfAll.take("", now).admitted
    );
  }

  #tellUntold(): void {
    if (this.#untold === 0) return;
    this.options.audit.warning("more was refused at the door than is told one by one", { count: this.#untold });
    this.#untold = 0;
  }

  /** A WebSocket by which something can be done to a line: that it was opened, or was not to be. */
  tellSocket(request: Request, server: AddressBook | null, status: number): void {
    tellAudit(this.options.audit, request, this.passage(request, server), status, requestIdOf(request));
  }

  async #answered(
    next: Next,
    request: Request,
    passage: Passage,
    headers: Record<string, string>,
  ): Promise<Response> {
    try {
      this.#host(request, passage);
      const preflight = this.#origin(request, passage, headers);
      const shown = preflight ? null : this.#shown(request, passage);
      const refusal = shown instanceof Problem ? shown : null;
      if (shown && !(shown instanceof Problem)) passage.token = shown;
      this.#rate(passage, headers);
      if (preflight) return preflight;
      if (refusal) throw refusal;
      const key = request.method === "POST" ? request.headers.get("idempotency-key") : null;
      if (key === null) return await next(request);
      const owner = passage.token ? `token ${passage.token.name}` : `address ${passage.address}`;
      return await this.options.idempotency.answer(owner, key, request, async (again) => {
        keepPassage(again, passage);
        return await next(again);
      });
    } catch (error) {
      const problem = toProblem(error);
      if (!problem) throw error;
      passage.code = problem.code;
      return problem.response();
    }
  }

  #host({ url }: Request, passage: Passage): void {
    if (this.options.hosts.allows(url)) return;
    const authority = authorityOf(url);
    if (authority === "") throw new Problem(400, "bad_host", "Send a Host header with the name of this server.");
    this.#refused("a request for another host", passage, { host: authority.slice(0, 100) });
    throw new Problem(
      403,
      "host_not_allowed",
      "This server is not known by that name: use its address, or add the name to server.allowed_hosts.",
    );
  }

  /** Returns the answer to a preflight. */
  #origin(request: Request, passage: Passage, headers: Record<string, string>): Response | null {
    const origin = request.headers.get("origin");
    if (origin === null) return null;
    const { origins } = this.options;
    const listed = origins.lists(origin);
    if (listed) {
      headers["access-control-allow-origin"] = origins.shown(origin);
      headers["access-control-expose-headers"] = EXPOSED_HEADERS;
      headers.vary = "Origin";
    }
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) {
      if (!listed) throw this.#foreign(origin, passage);
      headers["access-control-allow-methods"] = ALLOWED_METHODS;
      headers["access-control-allow-headers"] = ALLOWED_HEADERS;
      headers["access-control-max-age"] = PREFLIGHT_MAX_AGE_S;
      if (request.headers.has("access-control-request-private-network"))
        headers["access-control-allow-private-network"] = "true";
      return new Response(null, { status: 204 });
    }
    // What a GET answers stays with the browser unless we say otherwise; it changes nothing here.
    if (request.method !== "GET" && request.method !== "HEAD") this.#admitted(origin, request, passage);
    return null;
  }

  #admitted(origin: string, request: Request, passage: Passage): void {
    if (!this.options.origins.admits(origin, authorityOf(request.url))) throw this.#foreign(origin, passage);
  }

  #foreign(origin: string, passage: Passage): Problem {
    this.#refused("a web page of another origin", passage, { origin: origin.slice(0, 100) });
    return new Problem(
      403,
      "origin_not_allowed",
      "A web page of another origin asked: add that origin to security.allowed_origins if it may.",
    );
  }

  /**
   * Who shows a right token is measured by it, wherever he is and whoever else is there: behind a proxy, or in a
   * house's one IPv6 network, many share an address. Everybody else is measured by his address.
   */
  #rate({ token, address }: Passage, headers: Record<string, string>): void {
    const { rateLimit, monotonicMs } = this.options;
    if (!rateLimit || (!rateLimit.loopback && isLoopback(address))) return;
    const state = token
      ? this.#tokens?.take(token.name, monotonicMs())
      : this.#addresses?.take(clientOf(address), monotonicMs());
    if (!state) return;
    const { perSecond, burst } = rateLimit;
    headers["ratelimit-policy"] = `"default";q=${burst};w=${Math.ceil(burst / perSecond)}`;
    headers.ratelimit = `"default";r=${state.remaining};t=${secondsUntil(state.fullInMs)}`;
    if (!state.admitted) throw tooManyRequests(state.retryInMs);
  }

  /** The token that came; why it is not let in; null: none is needed. */
  #shown(request: Request, passage: Passage): Token | Problem | null {
    const { tokens, nowMs, monotonicMs } = this.options;
    if (!tokens.required) return null;
    const path = pathOf(request.url);
    if (isOpen(path)) return null;
    const secret = presented(request, path);
    if (secret === null) return noToken();
    const token = tokens.find(secret, nowMs());
    // Nobody guesses 256 random bits: somebody who tries, or shows an old token all day, holds up none that we made.
    if (token?.created_at) return token;
    const now = monotonicMs();
    const client = clientOf(passage.address);
    const attempts = this.#attempts.look(client, now);
    // Of the configuration it may be a word: no guess of it is told to be right. Whoever showed it there before may.
    const known = token && `${token.sha256} ${client}`;
    if (!attempts.admitted && !(known && this.#knownAt.has(known))) return tooManyAttempts(attempts.retryInMs);
    if (token && known) {
      if (!this.#knownAt.has(known)) this.#remember(known);
      return token;
    }
    this.#attempts.take(client, now);
    if (this.#toldOfAll.take("", now).admitted) {
      this.options.audit.warning("a token was refused", { address: passage.address, path: path.slice(0, 100) });
    }
    return wrongToken();
  }

  #remember(known: string): void {
    this.#knownAt.add(known);
    const [oldest] = this.#knownAt;
    if (this.#knownAt.size > MAX_KNOWN && oldest !== undefined) this.#knownAt.delete(oldest);
  }

  /** Inside of a route, where it is known what is asked of which line. */
  authorize(
    request: Request,
    endpoint: Pick<Endpoint, "method" | "scope" | "path" | "access" | "ownLines">,
    line: number,
  ): void {
    const passage = passageOf(request);
    const ofLine = isOfLine(endpoint);
    if (passage && ofLine) passage.line = line;
    const needed = neededScope(endpoint);
    if (!this.options.tokens.required || needed === "open") return;
    const token = this.#holder(request, needed);
    if (token.lines === null) return;
    if (ofLine ? !token.lines.includes(line) : !endpoint.ownLines) throw lineNotAllowed(token.lines);
  }

  /** Before the upgrade of a WebSocket, which a page of any origin may ask for and then read. */
  admitSocket(
    request: Request,
    server: AddressBook | null,
    { needed = "read" as Scope, line = null as number | null } = {},
  ): Passage {
    const passage = this.passage(request, server);
    passage.line = line;
    const origin = request.headers.get("origin");
    if (origin !== null) this.#admitted(origin, request, passage);
    if (this.options.tokens.required) {
      const { lines } = this.#holder(request, needed);
      if (line !== null && lines !== null && !lines.includes(line)) throw lineNotAllowed(lines);
    }
    return passage;
  }

  #holder(request: Request, needed: Scope): Token {
    const token = passageOf(request)?.token;
    if (!token) throw noToken();
    if (!covers(token.scope, needed)) throw insufficientScope(needed, token.scope);
    return token;
  }

  #refused(what: string, { address }: Passage, fields: LogFields): void {
    const now = this.options.monotonicMs();
    const one = this.#attempts.take(`told ${clientOf(address)}`, now);
    if (one.admitted && this.#toldOfAll.take("", now).admitted) {
      this.options.audit.warning(`${what} was refused`, { address, ...fields });
    }
  }
}

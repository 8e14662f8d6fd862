/** Who may reach the server, put together from the configuration: the guard, the tokens, the certificate. */
import { hostname } from "node:os";
import { isLocalHost } from "../config/load";
import type { Config } from "../config/schema";
import { Guard } from "../http/guard";
import { IdempotencyStore } from "../http/idempotency";
import { Seats } from "../http/seats";
import type { Logs } from "../observe/log";
import { HostCheck } from "../security/host_check";
import { OriginCheck } from "../security/origin_check";
import { TlsError } from "../security/tls_error";
import { TokenFile, TokenFileError } from "../security/token_file";
import { TokenRegistry } from "../security/token_registry";
import { StartError } from "./start_error";
import { openTls, type ServedTls } from "./tls";

/** Of another machine, where nobody says otherwise: far above what a person's programs need. */
const DEFAULT_RATE = { perSecond: 100, burst: 1000 };
const DEFAULT_CONNECTIONS = 200;

export interface Secured {
  guard: Guard;
  tokens: TokenRegistry;
  seats: Seats;
  origins: OriginCheck;
  tls: ServedTls | null;
}

function rateOf(limit: Config["api"]["rate_limit"]) {
  if (limit === "auto") return { ...DEFAULT_RATE, loopback: false };
  const { requests_per_second: perSecond, burst } = limit;
  return perSecond === 0 ? null : { perSecond, burst, loopback: true };
}

export async function secured(config: Config, stateFolder: string | null, logs: Logs): Promise<Secured> {
  try {
    return await secure(config, stateFolder, logs);
  } catch (error) {
    if (error instanceof TlsError || error instanceof TokenFileError) throw new StartError(error.message);
    throw error;
  }
}

async function secure(config: Config, stateFolder: string | null, logs: Logs): Promise<Secured> {
  const { server, security, api } = config;
  const local = isLocalHost(server.host);
  const tokens = new TokenRegistry({
    configured: security.api_tokens,
    file: stateFolder === null ? null : new TokenFile(stateFolder),
    always: !local && !security.allow_unauthenticated,
    complain: (message) => logs.audit.error(message),
  });
  const origins = new OriginCheck(security.allowed_origins);
  const rate = rateOf(api.rate_limit);
  const perAddress = api.max_connections_per_address;
  const guard = new Guard({
    tokens,
    origins,
    hosts: new HostCheck([...server.allowed_hosts, server.host], hostname()),
    // Nobody but loopback can come: nothing to count.
    rateLimit: rate && (rate.loopback || !local) ? rate : null,
    idempotency: new IdempotencyStore(() => performance.now()),
    audit: logs.audit,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  });
  return {
    guard,
    tokens,
    origins,
    seats: new Seats(
      perAddress === "auto"
        ? { perAddress: DEFAULT_CONNECTIONS, loopback: false }
        : { perAddress, loopback: true },
    ),
    tls: await openTls(server, stateFolder, logs.server),
  };
}

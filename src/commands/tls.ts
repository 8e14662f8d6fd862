/** The certificate of the ports: from the configuration's files or our own, and kept fresh while they are served. */
import { hostname, networkInterfaces } from "node:os";
import { isLocalHost } from "../config/load";
import type { Config } from "../config/schema";
import type { Log } from "../observe/log";
import { TlsError } from "../security/tls_error";
import type { TlsIdentity } from "../security/tls_identity";
import type { TlsRenewal } from "../security/tls_renewal";
import type { Listener } from "./listen";

/** A clock that was set, a file that was replaced: noticed after this. */
const LOOK_MS = 60_000;
const MAX_NAMES = 32;

export interface ServedTls {
  identity: TlsIdentity;
  /** From now on. Returns what looks at once. */
  keepFresh(listeners: readonly Pick<Listener, "renew">[]): () => void;
}

export async function openTls(
  { host, tls }: Config["server"],
  stateFolder: string | null,
  log: Log,
): Promise<ServedTls | null> {
  const { certificate, key, self_signed } = tls;
  const given = certificate !== null && key !== null;
  if (!given && !self_signed) return null;
  const identities = await import("../security/tls_identity");
  const { TlsRenewal } = await import("../security/tls_renewal");
  const kept =
    (renewal: (serve: (next: TlsIdentity) => void) => TlsRenewal) =>
    (listeners: readonly Pick<Listener, "renew">[]) => {
      const fresh = renewal((next) => {
        requireServable(next);
        for (const listener of listeners)
          listener.renew(next, (error) => log.error("a port waits to be served again", { error }));
      });
      fresh.look();
      setInterval(() => fresh.look(), LOOK_MS).unref();
      return () => fresh.look(true);
    };
  const clocks = { nowMs: Date.now, monotonicMs: () => performance.now(), log };
  const warnOfOpenKey = (path: string): void => {
    if (!identities.keyIsOpen(path)) return;
    log.warning("everybody on this machine can read the TLS key", { key: path, fix: `chmod o= ${path}` });
  };
  if (given) {
    const read = () => identities.identityFromFiles(certificate, key);
    const identity = read();
    warnOfOpenKey(key);
    const names = () => [];
    return {
      identity,
      keepFresh: kept((serve) => new TlsRenewal(identity, { read, renew: null, names, serve, ...clocks })),
    };
  }
  if (stateFolder === null) throw new TlsError("server.tls.self_signed: there is no state_dir to keep it in");
  const make = () => identities.ownIdentity(stateFolder, ownNames(host), new Date());
  const identity = make();
  warnOfOpenKey(identities.keyPathIn(stateFolder));
  const needs = {
    read: (made: boolean) => (made ? make() : identities.keptIdentity(stateFolder)),
    renew: (now: Date, current: TlsIdentity) =>
      identities.renewedIdentity(stateFolder, ownNames(host), now, current),
    // IPv6 addresses come and go by the day.
    names: () => (isLocalHost(host) ? [] : ownNames(host).filter((name) => !name.includes(":"))),
    ...clocks,
  };
  return { identity, keepFresh: kept((serve) => new TlsRenewal(identity, { ...needs, serve })) };
}

/** What clients may call us by, as it is now. */
function ownNames(host: string): string[] {
  const own = hostname().toLowerCase();
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const usable = addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  const names = new Set(["localhost", own, own.includes(".") ? own : `${own}.local`, ...usable]);
  if (isLocalHost(host)) for (const address of ["127.0.0.1", "::1"]) names.add(address);
  return [...names].slice(0, MAX_NAMES);
}

/** Before the ports are let go for it. */
function requireServable({ certificatePem, keyPem }: TlsIdentity): void {
  try {
    const fetch = () => new Response();
    void Bun.serve({ hostname: "127.0.0.1", port: 0, tls: { cert: certificatePem, key: keyPem }, fetch }).stop(
      true,
    );
  } catch (error) {
    throw new TlsError(`the certificate cannot be served (${(error as Error).message})`);
  }
}

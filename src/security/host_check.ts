/**
 * Whose name a request calls us by. A web page whose own name was pointed at our address (DNS rebinding) is of the
 * same origin for its browser; what gives it away is that it calls us by that name.
 */

/** Names that no public name server can answer for (RFC 6761, 6762, 8375, and what ICANN keeps for private use). */
const PRIVATE_SUFFIXES = [".local", ".localhost", ".home.arpa", ".internal"];
const MAX_REMEMBERED = 64;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** node:net is loaded for the rarer kind alone: it is 3 ms of the first answer. */
const isAddress = (name: string): boolean =>
  name.includes(":") ? process.getBuiltinModule("node:net").isIPv6(name) : IPV4.test(name);

/** "host:port" of a URL as Bun makes it from the Host header; "" where that was missing or nonsense. */
export function authorityOf(url: string): string {
  if (!url.startsWith("http")) return "";
  const start = url.indexOf("//") + 2;
  return url.slice(start, url.indexOf("/", start));
}

export function hostnameOf(authority: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(authority);
  const name = bracketed ? (bracketed[1] ?? "") : (authority.split(":")[0] ?? "");
  return name.toLowerCase().replace(/\.$/, "");
}

export class HostCheck {
  readonly #allowed: ReadonlySet<string>;
  readonly #remembered = new Set<string>();

  /** ownName: the machine's. "*" among the allowed: any. */
  constructor(allowed: readonly string[], ownName: string) {
    this.#allowed = new Set([...allowed, ownName].map((name) => name.toLowerCase()));
  }

  /** Asked by every request: a name that was let in is let in again without looking. */
  allows(url: string): boolean {
    const authority = authorityOf(url);
    if (this.#remembered.has(authority)) return true;
    if (!this.#isOurs(hostnameOf(authority))) return false;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.add(authority);
    return true;
  }

  #isOurs(name: string): boolean {
    if (name === "") return false;
    // A name without a dot is found in /etc/hosts or in this network, never in a stranger's zone.
    if (isAddress(name) || !name.includes(".")) return true;
    if (PRIVATE_SUFFIXES.some((suffix) => name.endsWith(suffix))) return true;
    return this.#allowed.has(name) || this.#allowed.has("*");
  }
}

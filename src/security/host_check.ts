/**
 * Whose name a request calls us by. A web page whose own name was pointed at our address (DNS rebinding) is of the
 * same origin for its browser; what gives it away is that it calls us by that name.
 */
import { isIP } from "node:net";

/** Names that no public name server can answer for (RFC 6761, 6762, 8375, and what ICANN keeps for private use). */
const PRIVATE_SUFFIXES = [".local", ".localhost", ".home.arpa", ".internal"];
const MAX_REMEMBERED = 64;

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
    if (isIP(name) !== 0 || !name.includes(".")) return true;
    if (PRIVATE_SUFFIXES.some((suffix) => name.endsWith(suffix))) return true;
    return this.#allowed.has(name) || this.#allowed.has("*");
  }
}

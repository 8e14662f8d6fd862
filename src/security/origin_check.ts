/** Which web pages may use us: our own, and those that the configuration lists. */
import { hostnameOf } from "./host_check";

export class OriginCheck {
  readonly #allowed: ReadonlySet<string>;
  /** The two ports of ours: a page of one may use the other. */
  readonly #ownPorts = new Set<string>();

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map((origin) => origin.toLowerCase()));
  }

  get any(): boolean {
    return this.#allowed.size > 0;
  }

  ownPort(port: number): void {
    this.#ownPorts.add(String(port));
  }

  /** May a page of this origin change something here, or listen? authority: what it calls us. */
  admits(origin: string, authority: string): boolean {
    if (this.lists(origin)) return true;
    if (!URL.canParse(origin)) return false; // "null" is a page without an origin: a file, a sandboxed frame
    const { host, hostname, port, protocol } = new URL(origin);
    if (protocol !== "http:" && protocol !== "https:") return false;
    if (host === authority.toLowerCase()) return true;
    return hostnameOf(hostname) === hostnameOf(authority) && this.#ownPorts.has(port);
  }

  /** Of those that the configuration names: such a page may read our answers too. */
  lists(origin: string): boolean {
    return this.#allowed.has("*") || this.#allowed.has(origin.toLowerCase());
  }

  /** The value of Access-Control-Allow-Origin. */
  shown(origin: string): string {
    return this.#allowed.has("*") ? "*" : origin;
  }
}

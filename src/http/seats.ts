/** How many connections that last one token, or one address without any, may hold: WebSockets and event streams together. */

import { clientOf, isLoopback } from "../security/rate_limiter";
import type { Token } from "../security/token";
import { tooManyClients } from "./refusals";

export interface Sitter {
  token: Token | null;
  address: string;
}

const nameOf = ({ token, address }: Sitter): string =>
  token ? `token ${token.name}` : `address ${clientOf(address)}`;

export class Seats {
  readonly #taken = new Map<string, number>();

  /** auto: loopback has no bound, since a proxy on this machine speaks for many; perAddress 0: nobody has. */
  constructor(private readonly options: { perAddress: number; loopback: boolean }) {}

  /** After check. Returns what gives the seat back: once, however often it is called. */
  take(sitter: Sitter): () => void {
    const { perAddress, loopback } = this.options;
    if (perAddress === 0 || (!loopback && isLoopback(sitter.address))) return () => undefined;
    const client = nameOf(sitter);
    this.#taken.set(client, (this.#taken.get(client) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#taken.get(client) ?? 1) - 1;
      if (left > 0) this.#taken.set(client, left);
      else this.#taken.delete(client);
    };
  }

  check(sitter: Sitter): void {
    const { perAddress, loopback } = this.options;
    if (perAddress === 0 || (!loopback && isLoopback(sitter.address))) return;
    if ((this.#taken.get(nameOf(sitter)) ?? 0) < perAddress) return;
    const detail =
      "There are too many connections of this token, or from this address (api.max_connections_per_address).";
    throw tooManyClients(detail);
  }
}

/** How many connections that last one client address may hold, of WebSockets and event streams together. */
import { clientOf, isLoopback } from "../security/rate_limiter";
import { tooManyClients } from "./refusals";

export class Seats {
  readonly #taken = new Map<string, number>();

  /** auto: loopback has no bound, since a proxy on this machine speaks for many; perAddress 0: nobody has. */
  constructor(private readonly options: { perAddress: number; loopback: boolean }) {}

  /** After check. Returns what gives the seat back: once, however often it is called. */
  take(address: string): () => void {
    const { perAddress, loopback } = this.options;
    if (perAddress === 0 || (!loopback && isLoopback(address))) return () => undefined;
    const client = clientOf(address);
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

  check(address: string): void {
    const { perAddress, loopback } = this.options;
    if (perAddress === 0 || (!loopback && isLoopback(address))) return;
    if ((this.#taken.get(clientOf(address)) ?? 0) < perAddress) return;
    const detail = "There are too many connections from this address (api.max_connections_per_address).";
    throw tooManyClients(detail);
  }
}

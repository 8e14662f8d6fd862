/** Where a voice bot may live, and where its name leads: the address that was looked at is the one connected to. */
import { isLinkLocalAddress, isPrivateAddress, literalAddress } from "../network/address";

export interface AddressPolicy {
  allowPrivate: boolean;
  allowLinkLocal: boolean;
}

/** The bot was not reached; the message is half a sentence about it. */
export class ConnectFailure extends Error {}

/** Half a sentence; null: it may be connected to. */
export function refusedAddress(address: string, policy: AddressPolicy): string | null {
  if (isLinkLocalAddress(address)) {
    return policy.allowLinkLocal
      ? null
      : "has a link-local address: stream.allow_link_local_addresses permits those";
  }
  if (policy.allowPrivate || !isPrivateAddress(address)) return null;
  return "has a private address: stream.allow_private_addresses permits those";
}

/** In the resolver's order, those that are permitted. */
export async function botAddresses(hostname: string, policy: AddressPolicy): Promise<string[]> {
  const literal = literalAddress(hostname);
  let addresses = [literal ?? ""];
  if (literal === null) {
    // Loaded when the first name is asked for: the start is faster without.
    const { lookup } = await import("node:dns/promises");
    try {
      addresses = (await lookup(hostname, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw new ConnectFailure(`has a name that is not found (${(error as NodeJS.ErrnoException).code ?? "DNS"})`);
    }
  }
  const permitted = addresses.filter((address) => refusedAddress(address, policy) === null);
  const [first] = addresses;
  if (permitted.length === 0)
    throw new ConnectFailure((first && refusedAddress(first, policy)) || "has no address");
  return permitted;
}

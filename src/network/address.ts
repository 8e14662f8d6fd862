/** Which addresses belong to the open internet: a URL that somebody gives must not reach into the network we stand in. */
import type { BlockList } from "node:net";

/** IANA's special-purpose registries: what is not globally reachable, and what only leads elsewhere. */
const PRIVATE: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];
/** Inside 2000::/3, the only global unicast there is: Teredo, documentation, 6to4. */
const PRIVATE_V6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

/** Loaded when first needed: who asks for no URL starts without it. */
const net = () => process.getBuiltinModule("node:net");

let lists: { blocked: BlockList; global: BlockList } | null = null;
function addressLists() {
  if (lists) return lists;
  const { BlockList } = net();
  lists = { blocked: new BlockList(), global: new BlockList() };
  for (const [network, bits] of PRIVATE) lists.blocked.addSubnet(network, bits, "ipv4");
  for (const [network, bits] of PRIVATE_V6) lists.blocked.addSubnet(network, bits, "ipv6");
  lists.global.addSubnet("2000::", 3, "ipv6");
  return lists;
}

/** The address that a URL's host is, without brackets; null: it is a name. */
export function literalAddress(hostname: string): string | null {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return net().isIP(bare) > 0 ? bare : null;
}

/** True as well for what is no address. */
export function isPrivateAddress(address: string): boolean {
  const { blocked, global } = addressLists();
  if (net().isIPv4(address)) return blocked.check(address, "ipv4");
  if (!net().isIPv6(address)) return true;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return isPrivateAddress(mapped);
  return !global.check(address, "ipv6") || blocked.check(address, "ipv6");
}

const LINK_LOCAL: readonly (readonly [network: string, bits: number, family: "ipv4" | "ipv6"])[] = [
  ["169.254.0.0", 16, "ipv4"],
  ["fe80::", 10, "ipv6"],
  ["::ffff:169.254.0.0", 112, "ipv6"],
];
let linkLocal: BlockList | null = null;

/** Of this very wire: there a cloud's machine finds its credentials, and nobody else a server. */
export function isLinkLocalAddress(address: string): boolean {
  if (!linkLocal) {
    linkLocal = new (net().BlockList)();
    for (const [network, bits, family] of LINK_LOCAL) linkLocal.addSubnet(network, bits, family);
  }
  return linkLocal.check(address, net().isIPv4(address) ? "ipv4" : "ipv6");
}

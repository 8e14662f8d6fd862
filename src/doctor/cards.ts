/** Analog cards by their PCI numbers, as the tables of DAHDI's drivers have them (2.11 to 3.4). */

export interface KnownCard {
  name: string;
  /** The kernel module that drives it. */
  module: string;
}

const DIGIUM = 0xd161;
const TIGERJET = 0xe159;

const DIGIUM_ANALOG: Readonly<Record<number, KnownCard>> = {
  9216: { name: "Digium TDM2400P", module: "wctdm24xxp" },
  2048: { name: "Digium TDM800P", module: "wctdm24xxp" },
  32770: { name: "Digium AEX800", module: "wctdm24xxp" },
  32771: { name: "Digium AEX2400", module: "wctdm24xxp" },
  32773: { name: "Digium TDM410P", module: "wctdm24xxp" },
  32774: { name: "Digium AEX410", module: "wctdm24xxp" },
  32775: { name: "Digium HA8-0000", module: "wctdm24xxp" },
  32776: { name: "Digium HB8-0000", module: "wctdm24xxp" },
  32780: { name: "Digium A8A", module: "wcaxx" },
  32781: { name: "Digium A8B", module: "wcaxx" },
  32783: { name: "Digium A4A", module: "wcaxx" },
  32784: { name: "Digium A4B", module: "wcaxx" },
};

/** TigerJet's bridge is on many makers' cards: the subsystem vendor tells them apart. */
const OPENVOX_SUBVENDORS = new Set([0x9100, 0x9519, 0x95d9, 0x9500, 0x9532, 0x8519, 0x9559, 0x9599]);
const WCTDM_SUBVENDORS = new Set([
  0xa159, 0xe159, 0xb100, 0xb1d9, 0xb118, 0xb119, 0xa9fd, 0xa8fd, 0xa800, 0xa801, 0xa908, 0xa901,
]);
/** Single FXO ports and T1/E1 on the same bridge: no telephone can be put on them. */
const TIGERJET_OTHERS = new Set([0x8084, 0x8085, 0x8086, 0x8087, 0x6159, 0x71fe, 0x79fe, 0x795e, 0x79de, 0x797e]);

/** Vendors whose cards are DAHDI's, also where a card is not listed above. */
const MAKERS: Readonly<Record<number, string>> = { [DIGIUM]: "Digium", 7028: "OpenVox" };

export type CardGuess =
  | { kind: "analog"; card: KnownCard }
  /** A telephony card, but none that we know to feed telephones. */
  | { kind: "other"; name: string }
  | null;

export function cardOf(vendor: number, device: number, subsystemVendor: number): CardGuess {
  if (vendor === DIGIUM) {
    const card = DIGIUM_ANALOG[device];
    if (card) return { kind: "analog", card };
  }
  if (vendor === TIGERJET && device === 0x0001) {
    if (OPENVOX_SUBVENDORS.has(subsystemVendor))
      return { kind: "analog", card: { name: "OpenVox A800P/A1200P", module: "opvxa1200" } };
    if (WCTDM_SUBVENDORS.has(subsystemVendor))
      return { kind: "analog", card: { name: "TDM400P or its like", module: "wctdm" } };
    if (TIGERJET_OTHERS.has(subsystemVendor)) return { kind: "other", name: "TigerJet card without FXS ports" };
    return { kind: "other", name: "TigerJet card of an unknown maker" };
  }
  const maker = MAKERS[vendor];
  return maker ? { kind: "other", name: `${maker} card that no analog driver lists` } : null;
}

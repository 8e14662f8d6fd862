import { expect, test } from "bun:test";
import { isLinkLocalAddress } from "../../../src/network/address";
import { type AddressPolicy, botAddresses, refusedAddress } from "../../../src/streams/bot_address";

const HOUSE: AddressPolicy = { allowPrivate: true, allowLinkLocal: false };

test("which addresses are permitted", async () => {
  for (const address of ["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.1.1", "::ffff:a9fe:a9fe"]) {
    expect([address, isLinkLocalAddress(address)]).toEqual([address, true]);
    expect(refusedAddress(address, HOUSE)).toMatch(/link-local/);
    expect(refusedAddress(address, { allowPrivate: false, allowLinkLocal: true })).toBeNull();
  }
  for (const address of ["169.253.1.1", "10.0.0.1", "fec0::1", "::1", "fd00::1", "8.8.8.8"]) {
    expect([address, isLinkLocalAddress(address)]).toEqual([address, false]);
    expect(refusedAddress(address, HOUSE)).toBeNull();
  }
  expect(await botAddresses("127.0.0.1", HOUSE)).toEqual(["127.0.0.1"]);
  expect(await botAddresses("[::1]", HOUSE)).toEqual(["::1"]);
});

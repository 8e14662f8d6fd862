/** Who is on a bridge, over simulated telephones whose clock the test moves. */
import { expect, test } from "bun:test";
import { leftAlone, memberMoved } from "../../../src/exchange/bridge_members";
import { stepped } from "../../support/stepped";

const lifted = { inService: true, lifted: true, ringing: false };
const onHook = { inService: true, lifted: false, ringing: false };
const ringing = { ...onHook, ringing: true };
const down = { inService: false, lifted: true, ringing: false };

test("what a telephone does to its membership", () => {
  expect(memberMoved("joined", lifted)).toBeNull();
  expect(memberMoved("held", lifted)).toBeNull();
  expect(memberMoved("joined", onHook)).toEqual({ leaves: "hung_up" });
  expect(memberMoved("held", onHook)).toEqual({ leaves: "hung_up" });
  expect(memberMoved("ringing", ringing)).toBeNull();
  expect(memberMoved("ringing", lifted)).toEqual({ joins: true });
  expect(memberMoved("ringing", onHook)).toEqual({ leaves: "no_answer" });
  for (const state of ["ringing", "joined", "held"] as const) {
    expect(memberMoved(state, down)).toEqual({ leaves: "line_down" });
  }
  expect(leftAlone(new Map())).toBeNull();
  expect(leftAlone(new Map([[1, "held"]]))).toBe(1);
  expect(
    leftAlone(
      new Map([
        [1, "joined"],
        [2, "ringing"],
      ]),
    ),
  ).toBeNull();
});

test("who hangs up ends the others' rings and leaves nobody IN_CALL", async () => {
  using phone = await stepped({ ports: 3 });
  const { exchange, handsets, until, types } = phone;
  await until(handsets.lift(1));
  await until(exchange.bridges.create([1, 2, 3], { pattern: "NORMAL" }));
  expect(exchange.status(1).state).toBe("IN_CALL");
  expect(exchange.status(2).state).toBe("RINGING");
  await until(handsets.lift(2));
  expect(exchange.bridges.list()[0]?.members).toEqual([
    { line: 1, state: "joined" },
    { line: 2, state: "joined" },
    { line: 3, state: "ringing" },
  ]);
  await until(handsets.hangUp(1));
  await until(handsets.hangUp(2));
  await phone.advance(200);
  expect(exchange.bridges.list()).toEqual([]);
  expect(types(2).filter((type) => type.startsWith("bridge"))).toEqual(["bridge_joined", "bridge_left:hung_up"]);
  expect(types(3)).toContain("bridge_left:alone");
  expect([1, 2, 3].map((line) => exchange.status(line).state)).toEqual(["IDLE", "IDLE", "IDLE"]);
});

test("a card that is taken away leaves; one whose bell is refused changes nothing", async () => {
  using phone = await stepped({ ports: 2 });
  const { exchange, handsets, until, types } = phone;
  await until(handsets.lift(1));
  await expect(until(exchange.bridges.create([1, 2], { pattern: "NONE" }))).rejects.toMatchObject({
    code: "invalid_input",
  });
  expect(exchange.bridges.list()).toEqual([]);
  expect([...types(1), ...types(2)].filter((type) => type.startsWith("bridge"))).toEqual([]);
  await until(handsets.lift(2));
  await until(exchange.bridges.create([1, 2], null));
  await until(handsets.plug(2, false));
  await phone.advance(100);
  expect(types(2)).toContain("bridge_left:line_down");
  expect(types(1)).toContain("bridge_left:alone");
  expect(exchange.status(1).state).toBe("OFF_HOOK");
});

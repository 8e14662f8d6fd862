/** Digits and announcements that end while something else happens. */
import { describe, expect, test } from "bun:test";
import type { DriverEvent } from "../../../src/driver/decode";
import { Announcer, type AnnouncerDependencies } from "../../../src/exchange/announcer";
import { Gatherer } from "../../../src/exchange/gatherer";
import type { Playback } from "../../../src/exchange/playback";
import { Refusal } from "../../../src/exchange/verbs";
import { refusal } from "../../support/refusal";
import { noise, pcmSource } from "../../support/stepped";
import { gather, telephone, watched } from "./asked_telephone";

/** Told in one go, as when JavaScript stood still: the order is the driver's. */
describe("in the same moment", () => {
  const line = {
    nowNs: () => 0,
    after: () => () => undefined,
    tell: () => undefined,
    stopPlayback: () => undefined,
  };
  const play = (): Playback => {
    throw new Error("nothing is to be heard");
  };

  test("the ring ends, and it is lifted: what waited for the answer is over", async () => {
    const prompt = watched(noise(80));
    const gatherer = new Gatherer({
      ...line,
      play,
      admit: () => "await_answer",
      newGatherId: () => "g",
      stopUnheard: () => undefined,
    });
    const { finished } = gatherer.gather({ prompt, loop: 1, when: "now" });
    gatherer.unanswered(false);
    gatherer.lifted();
    expect(await finished).toMatchObject({ reason: "cancelled" });
    expect(prompt.closed).toBe(1);
  });

  const rings = (begin: () => Promise<unknown>) => ({ ring: () => ({ ringId: 1, begun: begin() }) });
  const announcer = (needs: Partial<AnnouncerDependencies>) =>
    new Announcer({
      ...line,
      play,
      newAnnounceId: () => "a",
      lifted: () => false,
      ...rings(async () => undefined),
      stopRing: () => undefined,
      gather: () => {
        throw new Error("nothing is to be collected");
      },
      refuseSecondGather: () => undefined,
      ...needs,
    });
  const verb = { loop: 1, ring: {}, whenLifted: "busy", gather: null } as const;
  const offHook: DriverEvent = { kind: "off_hook", index: 0, atNs: 5, toldNs: 5, trippedRing: false };

  test("it rings, its ring ends, and it is lifted", async () => {
    const each = announcer({
      ...rings(async () => {
        each.unanswered(false);
        each.handle(offHook);
      }),
    });
    const { finished } = await each.announce({ ...verb, source: pcmSource(noise(80)) });
    expect(await finished).toMatchObject({ outcome: "not_answered", answeredAfterMs: null });
  });

  test("it is lifted before the bell can ring", async () => {
    let lifted = false;
    const source = watched(noise(80));
    const each = announcer({
      lifted: () => lifted,
      ...rings(async () => {
        lifted = true;
        each.handle(offHook);
        each.unanswered(false);
        throw new Refusal("line_off_hook", "It was just lifted.");
      }),
    });
    const { finished } = await each.announce({ ...verb, source });
    expect(await finished).toMatchObject({ outcome: "busy", answeredAfterMs: null });
    expect(source.closed).toBe(1);
  });

  test("one that the driver refuses to ring for is forgotten", async () => {
    const each = announcer({
      ...rings(async () => {
        each.unanswered(false);
        expect(await refusal(() => each.stop())).toBe("not_announcing");
        throw new Refusal("driver_error", "No.");
      }),
    });
    const source = watched(noise(80));
    expect(await refusal(() => each.announce({ ...verb, source }))).toBe("driver_error");
    expect(source.closed).toBe(0); // whoever brought it closes it
    expect(await refusal(() => each.stop())).toBe("not_announcing");
  });
});

test("the program's end ends both", async () => {
  using phone = await telephone(true, { ports: 2 });
  const collecting = gather(phone);
  const rung = await phone.until(
    phone.exchange.announce(2, {
      source: pcmSource(noise(800)),
      loop: 1,
      ring: {},
      whenLifted: "play",
      gather: null,
    }),
  );
  phone.exchange.endWaits();
  expect((await phone.until(collecting.finished)).reason).toBe("stopped");
  expect((await phone.until(rung.finished)).outcome).toBe("stopped");
});

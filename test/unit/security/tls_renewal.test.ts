/** A certificate over the years, on clocks that jump. */
import { afterAll, describe, expect, test } from "bun:test";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "../../../src/security/certificate";
import { TlsError } from "../../../src/security/tls_error";
import {
  identityFromFiles,
  keptIdentity,
  keyIsOpen,
  keyPathIn,
  ownIdentity,
  renewedIdentity,
  type TlsIdentity,
} from "../../../src/security/tls_identity";
import { TlsRenewal } from "../../../src/security/tls_renewal";

const root = mkdtempSync(join(tmpdir(), "dahdi-renewal-"));
afterAll(() => rmSync(root, { recursive: true }));

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const date = (text: string): number => Date.parse(text);
const certificatePath = (folder: string): string => join(folder, "tls-certificate.pem");

function said() {
  const lines: string[] = [];
  const say = (level: string) => (message: string, fields: Record<string, string>) =>
    void lines.push(`${level} ${message} ${fields.error ?? fields.name ?? ""}`.trim());
  return { lines, log: { info: say("info"), warning: say("warning"), error: say("error") } };
}

/** A server's life with a certificate of its own. Both clocks go together unless one is set. */
function house(startedAt: string, first?: { from: string; until: string }) {
  const folder = mkdtempSync(join(root, "state-"));
  let nowMs = date(startedAt);
  let monotonicMs = 0;
  let names = ["localhost", "pi.local", "192.168.1.5"];
  if (first) {
    const made = selfSigned(names, new Date(first.from), new Date(first.until));
    writeFileSync(certificatePath(folder), made.certificatePem);
    writeFileSync(keyPathIn(folder), made.keyPem, { mode: 0o600 });
  }
  const make = (): TlsIdentity => ownIdentity(folder, names, new Date(nowMs));
  const served: TlsIdentity[] = [make()];
  let servable = true;
  const { lines, log } = said();
  const renewal = new TlsRenewal(served[0] as TlsIdentity, {
    read: (made) => (made ? make() : keptIdentity(folder)),
    renew: (now, current) => renewedIdentity(folder, names, now, current),
    names: () => names,
    serve: (identity) => {
      if (!servable) throw new TlsError("the certificate cannot be served");
      served.push(identity);
    },
    nowMs: () => nowMs,
    monotonicMs: () => monotonicMs,
    log,
  });
  return {
    folder,
    lines,
    served,
    renewal,
    newest: () => served.at(-1) as TlsIdentity,
    setClock: (at: string): void => {
      nowMs = date(at);
    },
    setNames: (next: string[]): void => {
      names = next;
    },
    setServable: (so: boolean): void => {
      servable = so;
    },
    minutes(count: number): void {
      for (let i = 0; i < count; i++) {
        nowMs += MINUTE_MS;
        monotonicMs += MINUTE_MS;
        renewal.look();
      }
    },
  };
}

describe("of our own", () => {
  test.each(["1970-01-01T00:00:05Z", "2020-06-01", "2026-11-25", "2045-01-01", "2099-12-31"])(
    "made when the clock said %s is valid once it is right, and stays",
    (clock) => {
      const { setClock, minutes, newest, served, lines } = house(clock);
      setClock("2026-11-25");
      minutes(120);
      expect(newest().validFromMs).toBeLessThan(date("2026-11-25"));
      expect(newest().validUntilMs).toBeGreaterThan(date("2045-01-01"));
      expect([served.length, lines]).toEqual([1, []]);
    },
  );

  test("that a version before made in 1970 is mended at once, with the same key", () => {
    const { minutes, newest, served, folder, lines } = house("2026-11-25", {
      from: "2020-01-01",
      until: "1990-01-01",
    });
    const key = readFileSync(keyPathIn(folder), "utf8");
    minutes(1);
    expect(served).toHaveLength(2);
    expect(newest().validUntilMs).toBe(date("2046-11-25T00:01:00Z"));
    expect(newest().keyPem).toBe(key);
    expect(lines).toEqual(["info the certificate was renewed: give it to clients that compare it"]);
    expect(new X509Certificate(readFileSync(certificatePath(folder))).fingerprint256).toBe(newest().fingerprint);
    expect(readdirSync(folder).sort()).toEqual(["tls-certificate.pem", "tls-key.pem"]);
    expect(statSync(keyPathIn(folder)).mode & 0o777).toBe(0o600);
    minutes(10);
    expect(served).toHaveLength(2);
  });

  test("is renewed a month before it expires, when the clock has said so for an hour", () => {
    const { setClock, minutes, newest, served } = house("2026-11-25");
    const first = newest();
    setClock(new Date(first.validUntilMs - 30 * DAY_MS - 30 * MINUTE_MS).toISOString());
    minutes(80);
    expect(served).toHaveLength(1);
    minutes(20);
    expect(served).toHaveLength(2);
    expect(newest().keyPem).toBe(first.keyPem);
    expect(newest().validUntilMs).toBeGreaterThan(first.validUntilMs + 19 * 365 * DAY_MS);
    expect(newest().names("pi.local")).toBe(true);
  });

  test("stays with those who pinned it when the clock was wrong for a while", () => {
    const { setClock, minutes, served, lines } = house("2026-11-25");
    setClock("2099-01-01");
    minutes(50);
    setClock("2026-11-25");
    minutes(50);
    setClock("2099-01-01");
    minutes(50);
    expect(served).toHaveLength(1);
    expect(lines).toEqual(["error the certificate has expired"]);
  });

  test("whose renewal finds no room stays, is told once, and is renewed when there is some", () => {
    const { setClock, minutes, served, lines, folder } = house("2026-11-25");
    // What is written cannot take its place.
    rmSync(certificatePath(folder));
    setClock("2050-01-01");
    minutes(70);
    expect(lines).toEqual([
      "error the certificate has expired",
      `error the certificate stays as it was ${certificatePath(folder)}: is not there`,
    ]);
    writeFileSync(certificatePath(folder), (served[0] as TlsIdentity).certificatePem);
    minutes(70);
    expect(served).toHaveLength(2);
  });

  test("that was removed is made anew when somebody asks, and not behind a disk that went away", () => {
    const { renewal, newest, folder, served, lines, setNames } = house("2026-11-25");
    setNames(["localhost", "pi.local", "192.168.1.77"]);
    renewal.look();
    renewal.look();
    expect(lines).toEqual(["warning the certificate does not have a name that we have now 192.168.1.77"]);
    const key = newest().keyPem;
    rmSync(certificatePath(folder));
    renewal.look();
    expect(served).toHaveLength(1);
    renewal.look(true);
    expect(newest().names("192.168.1.77")).toBe(true);
    expect(newest().keyPem).toBe(key);
    expect(served).toHaveLength(2);
  });

  test("whose key somebody replaced by one of another kind is not signed by it", () => {
    const { folder } = house("2026-11-25");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(keyPathIn(folder), privateKey.export({ type: "pkcs8", format: "pem" }));
    rmSync(certificatePath(folder));
    expect(() => ownIdentity(folder, ["localhost"], new Date())).toThrow(/is no key of ours/);
  });

  test("that no port takes is tried again", () => {
    const { minutes, served, setServable, lines } = house("2026-11-25", {
      from: "2020-01-01",
      until: "1990-01-01",
    });
    setServable(false);
    minutes(5);
    expect(lines.filter((line) => line.includes("stays as it was"))).toHaveLength(1);
    setServable(true);
    minutes(1);
    expect(served).toHaveLength(2);
  });
});

describe("of an authority", () => {
  const folder = mkdtempSync(join(root, "given-"));
  const [certificate, key] = [join(folder, "c.pem"), join(folder, "k.pem")];
  const put = (until: string) => {
    const made = selfSigned(["localhost"], new Date("2026-01-01"), new Date(until));
    writeFileSync(certificate, made.certificatePem);
    writeFileSync(key, made.keyPem);
    return made;
  };
  function given(until: string, now: string) {
    put(until);
    let nowMs = date(now);
    const read = (): TlsIdentity => identityFromFiles(certificate, key);
    const served = [read()];
    const { lines, log } = said();
    const renewal = new TlsRenewal(served[0] as TlsIdentity, {
      read,
      renew: null,
      names: () => [],
      serve: (identity) => void served.push(identity),
      nowMs: () => nowMs,
      monotonicMs: () => 0,
      log,
    });
    return {
      served,
      lines,
      renewal,
      setClock: (at: string): void => {
        nowMs = date(at);
      },
    };
  }

  test("is taken when it was replaced; what is broken changes nothing and is told once", () => {
    const { served, lines, renewal } = given("2027-01-01", "2026-06-01");
    renewal.look();
    expect([served.length, lines]).toEqual([1, []]);
    const next = put("2027-02-01");
    renewal.look();
    expect(served.at(-1)?.certificatePem).toBe(next.certificatePem);
    expect(lines.splice(0)).toEqual(["info another certificate was put in place"]);

    // Between two files, for a moment.
    const third = selfSigned(["localhost"], new Date("2026-01-01"), new Date("2027-03-01"));
    writeFileSync(certificate, third.certificatePem);
    renewal.look();
    writeFileSync(key, third.keyPem);
    renewal.look();
    expect(served.at(-1)?.certificatePem).toBe(third.certificatePem);
    expect(lines.splice(0)).toEqual(["info another certificate was put in place"]);

    writeFileSync(certificate, "-----BEGIN CERTIFICATE-----\nhalf");
    for (let i = 0; i < 5; i++) renewal.look();
    expect(lines.splice(0)).toEqual([
      `error the certificate stays as it was ${certificate}: is no certificate in PEM`,
    ]);
    rmSync(certificate);
    renewal.look(true);
    expect(lines.splice(0)).toEqual([`error the certificate stays as it was ${certificate}: is not there`]);
    expect(served).toHaveLength(3);
  });

  test("that nobody renews is told of a week before, and when it has expired", () => {
    const { lines, renewal, setClock } = given("2027-01-01", "2026-12-20");
    for (const at of ["2025-12-31", "2026-12-20", "2026-12-26", "2026-12-27", "2027-01-02", "2027-01-03"]) {
      setClock(at);
      renewal.look();
    }
    expect(lines).toEqual([
      "warning the certificate is not valid yet, or the clock is wrong",
      "warning the certificate expires within a week",
      "error the certificate has expired",
    ]);
  });

  test("whose key everybody can read is noticed", () => {
    put("2027-01-01");
    for (const [mode, open] of [
      [0o600, false],
      [0o640, false],
      [0o644, true],
    ] as const) {
      chmodSync(key, mode);
      expect(keyIsOpen(key)).toBe(open);
    }
  });
});

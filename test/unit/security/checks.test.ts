import { describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Seats } from "../../../src/http/seats";
import { selfSigned } from "../../../src/security/certificate";
import { authorityOf, HostCheck } from "../../../src/security/host_check";
import { OriginCheck } from "../../../src/security/origin_check";
import { clientOf, isLoopback, RateLimiter } from "../../../src/security/rate_limiter";
import { identityFromFiles, ownIdentity } from "../../../src/security/tls_identity";

describe("the name that a request calls us by", () => {
  const hosts = new HostCheck(["phone.example.org"], "Kitchen.Example.net");
  test.each([
    ["127.0.0.1:8000", true],
    ["[::1]:8000", true],
    ["192.168.1.20", true],
    ["localhost:8000", true],
    ["server:8000", true],
    ["pi", true],
    ["pi.local:8000", true],
    ["PI.LOCAL.", true],
    ["phone.example.org", true],
    ["Phone.Example.ORG:443", true],
    ["kitchen.example.net", true],
    ["x.home.arpa", true],
    ["evil.example", false],
    ["127.0.0.1.evil.example", false],
    ["localhost.evil.example", false],
    ["phone.example.org.evil.example", false],
    ["notphone.example.org", false],
    ["evil.local.example", false],
    ["", false],
  ])("%s: %p", (authority, allowed) => {
    expect(hosts.allows(`http://${authority}/status`)).toBe(allowed);
    expect(hosts.allows(`https://${authority}/status?a=//b`)).toBe(allowed); // also when it is remembered
  });

  test("is missing where Bun found none", () => {
    expect(authorityOf("/status")).toBe("");
    expect(authorityOf("//evil.example/status")).toBe("");
    expect(hosts.allows("/status")).toBe(false);
    expect(hosts.allows("//localhost/status")).toBe(false);
  });

  test("a star lets in every name; the memory of names is bounded", () => {
    const any = new HostCheck(["*"], "x");
    for (let i = 0; i < 1000; i++) expect(any.allows(`http://host${i}.example/`)).toBe(true);
  });
});

describe("the web page that asks", () => {
  const origins = new OriginCheck(["https://Console.Example.org"]);
  origins.ownPort(8000);
  origins.ownPort(8001);
  test.each([
    ["http://127.0.0.1:8000", "127.0.0.1:8000", true],
    ["http://127.0.0.1:8000", "127.0.0.1:8001", true],
    ["http://pi.local:8000", "pi.local:8001", true],
    ["https://phone.example.org", "phone.example.org", true], // a proxy ends TLS
    ["http://[::1]:8000", "[::1]:8001", true],
    ["https://console.example.org", "127.0.0.1:8000", true],
    ["http://127.0.0.1:3000", "127.0.0.1:8000", false],
    ["http://localhost:8000", "127.0.0.1:8000", false],
    ["http://evil.example", "127.0.0.1:8000", false],
    ["http://evil.example:8000", "127.0.0.1:8000", false],
    ["https://console.example.org.evil.example", "127.0.0.1:8000", false],
    ["null", "127.0.0.1:8000", false],
    ["", "127.0.0.1:8000", false],
    ["file://", "127.0.0.1:8000", false],
    ["chrome-extension://abc", "127.0.0.1:8000", false],
  ])("%s asks %s: %p", (origin, authority, admitted) => {
    expect(origins.admits(origin, authority)).toBe(admitted);
  });

  test("a star admits all, and says so to browsers", () => {
    const any = new OriginCheck(["*"]);
    expect(any.admits("null", "x")).toBe(true);
    expect(any.shown("http://a")).toBe("*");
    expect(origins.shown("https://console.example.org")).toBe("https://console.example.org");
  });
});

describe("how often", () => {
  test("a burst, then the steady rate; each on its own", () => {
    const limiter = new RateLimiter({ perSecond: 10, burst: 3 });
    const taken = (key: string, atMs: number): boolean => limiter.take(key, atMs).admitted;
    expect([taken("a", 0), taken("a", 0), taken("a", 0), taken("a", 0), taken("b", 0)]).toEqual([
      true,
      true,
      true,
      false,
      true,
    ]);
    expect([taken("a", 99), taken("a", 100), taken("a", 100), taken("a", 200)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(limiter.take("a", 10_000)).toEqual({ admitted: true, remaining: 2, fullInMs: 100, retryInMs: 0 });
    for (let i = 0; i < 2; i++) limiter.take("a", 10_000);
    expect(limiter.take("a", 10_000)).toEqual({ admitted: false, remaining: 0, fullInMs: 300, retryInMs: 100 });
    expect(limiter.look("a", 10_050)).toMatchObject({ admitted: false, retryInMs: 50 });
  });

  test("a refused one does not wait longer for it", () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 1 });
    limiter.take("a", 0);
    for (let i = 0; i < 100; i++) limiter.take("a", 500);
    expect(limiter.take("a", 1000).admitted).toBe(true);
  });

  test("over a long time exactly the rate comes through", () => {
    const limiter = new RateLimiter({ perSecond: 7, burst: 5 });
    let admitted = 0;
    for (let atMs = 0; atMs < 60_000; atMs += 3) if (limiter.take("a", atMs).admitted) admitted++;
    expect(admitted).toBeGreaterThanOrEqual(7 * 60);
    expect(admitted).toBeLessThanOrEqual(7 * 60 + 5);
  });

  test("the table is bounded, whoever comes", () => {
    const limiter = new RateLimiter({ perSecond: 1, burst: 2 });
    for (let i = 0; i < 100_000; i++) limiter.take(`a${i}`, 1);
    expect(limiter.size).toBeLessThanOrEqual(4096);
  });

  test("an IPv6 network is one client", () => {
    expect(clientOf("192.168.1.2")).toBe("192.168.1.2");
    expect(clientOf("::ffff:192.168.1.2")).toBe("192.168.1.2");
    expect(clientOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(clientOf("2001:db8:1:2::1")).toBe("2001:db8:1:2::/64");
    expect(clientOf("fe80::1%eth0")).toBe("fe80:0:0:0::/64");
    expect(clientOf("::1")).toBe("0:0:0:0::/64");
    expect(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "192.168.0.1", "::2"].map(isLoopback)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  test("seats: so many of one address, given back once", () => {
    const seats = new Seats({ perAddress: 2, loopback: false });
    const first = seats.take("192.0.2.1");
    seats.take("192.0.2.1");
    expect(() => seats.check("192.0.2.1")).toThrow(/too many connections/);
    seats.check("192.0.2.2");
    for (let i = 0; i < 9; i++) seats.take("127.0.0.1");
    seats.check("127.0.0.1");
    first();
    first();
    seats.check("192.0.2.1");
    seats.take("192.0.2.1");
    expect(() => seats.check("192.0.2.1")).toThrow();
  });
});

describe("the certificate", () => {
  test.each([2040, 2060])("of our own until %p says whom it is for, and is no authority", (year) => {
    const from = new Date(Date.UTC(2026, 0, 29, 12));
    const until = new Date(Date.UTC(year, 11, 31, 23, 59, 59));
    const made = selfSigned(
      ["localhost", "pi.local", "127.0.0.1", "::1", "2001:db8::5", "fd00:1:2:3:4:5:6:7"],
      from,
      until,
    );
    const certificate = new X509Certificate(made.certificatePem);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkHost("pi.local")).toBe("pi.local");
    expect(certificate.checkHost("evil.example")).toBeUndefined();
    for (const address of ["127.0.0.1", "::1", "2001:db8::5", "fd00:1:2:3:4:5:6:7"])
      expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
    expect(Date.parse(certificate.validFrom)).toBe(from.getTime());
    expect(Date.parse(certificate.validTo)).toBe(until.getTime());
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(made.keyPem))).toBe(true);
  });

  test("made before the clock was set is good when it is", () => {
    const folder = mkdtempSync(join(tmpdir(), "dahdi-tls-"));
    const { certificatePem } = ownIdentity(folder, ["localhost"], new Date(40_000));
    const { validFrom, validTo } = new X509Certificate(certificatePem);
    expect(Date.parse(validFrom)).toBe(Date.UTC(2020, 0, 1));
    expect(Date.parse(validTo)).toBeGreaterThan(Date.UTC(2039, 0, 1));
    rmSync(folder, { recursive: true });
  });

  test("is made once; a key of another is refused, and a text that is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "dahdi-tls-"));
    const now = new Date(Date.UTC(2026, 0, 29));
    const first = ownIdentity(folder, ["localhost"], now);
    expect(ownIdentity(folder, ["other"], now)).toEqual(first);
    expect(statSync(join(folder, "tls-key.pem")).mode & 0o777).toBe(0o600);
    const [certificate, key] = [join(folder, "tls-certificate.pem"), join(folder, "tls-key.pem")];
    expect(identityFromFiles(certificate, key)).toEqual(first);
    expect(() => identityFromFiles(join(folder, "none"), key)).toThrow(/none: is not there/);
    expect(() => identityFromFiles(key, key)).toThrow(/is no certificate/);
    expect(() => identityFromFiles(certificate, certificate)).toThrow(/is no private key/);
    writeFileSync(key, selfSigned(["x"], now, now).keyPem);
    expect(() => ownIdentity(folder, ["localhost"], now)).toThrow(/is not the key of/);
    rmSync(folder, { recursive: true });
  });
});

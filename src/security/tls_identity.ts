/** The certificate and key that the ports show: from files, or made once and kept in the state folder. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { fingerprint, selfSigned } from "./certificate";
import { TlsError } from "./tls_error";

export interface TlsIdentity {
  certificatePem: string;
  keyPem: string;
  /** SHA-256. */
  fingerprint: string;
  validFromMs: number;
  validUntilMs: number;
  /** Is the name, or the address, in it? */
  names(name: string): boolean;
}

/** Clients pin it: it outlives the machine rather than changing behind their back. */
const VALID_YEARS = 20;
/** A clock that was not set yet must not make it begin in the future. */
const FROM = new Date(Date.UTC(2020, 0, 1));
/** Nor end in the past: no true clock is before this. */
const SURELY_PAST_MS = Date.UTC(2026, 0, 1);

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT") return null;
    throw new TlsError(`${path}: cannot be read (${code})`);
  }
}

function keyFrom(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TlsError(`${path}: is no private key in PEM, or has a passphrase`);
  }
}

/** Somebody may have put another pair in the place of ours. */
function ownKey(pem: string, path: string): KeyObject {
  const key = keyFrom(pem, path);
  if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  throw new TlsError(`${path}: is no key of ours (P-256), so that its certificate is not ours to make`);
}

function checked(certificatePem: string, keyPem: string, certificatePath: string, keyPath: string): TlsIdentity {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    throw new TlsError(`${certificatePath}: is no certificate in PEM`);
  }
  if (!certificate.checkPrivateKey(keyFrom(keyPem, keyPath)))
    throw new TlsError(`${keyPath}: is not the key of ${certificatePath}`);
  return {
    certificatePem,
    keyPem,
    fingerprint: fingerprint(certificatePem),
    validFromMs: Date.parse(certificate.validFrom),
    validUntilMs: Date.parse(certificate.validTo),
    names: (name) => Boolean(isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)),
  };
}

export function identityFromFiles(certificatePath: string, keyPath: string): TlsIdentity {
  const [certificatePem, keyPem] = [readText(certificatePath), readText(keyPath)];
  if (certificatePem === null) throw new TlsError(`${certificatePath}: is not there`);
  if (keyPem === null) throw new TlsError(`${keyPath}: is not there`);
  return checked(certificatePem, keyPem, certificatePath, keyPath);
}

/** A key that was put there by hand may be anybody's to read. */
export const keyPathIn = (folder: string): string => pathsIn(folder)[1];

const pathsIn = (folder: string): [certificatePath: string, keyPath: string] => [
  join(folder, "tls-certificate.pem"),
  join(folder, "tls-key.pem"),
];

/** As it lies in the folder. */
export const keptIdentity = (folder: string): TlsIdentity => identityFromFiles(...pathsIn(folder));

/** names: what clients may call us by. Made at the first start alone, or after somebody removed it. */
export function ownIdentity(folder: string, names: readonly string[], now: Date): TlsIdentity {
  const paths = pathsIn(folder);
  const [certificatePem, keyPem] = paths.map(readText);
  if (certificatePem != null && keyPem != null) return checked(certificatePem, keyPem, ...paths);
  const key = keyPem == null ? null : ownKey(keyPem, paths[1]);
  const made = selfSigned(names, FROM, untilOf(now), key);
  writeWhole(folder, [
    [paths[1], made.keyPem, 0o600],
    [paths[0], made.certificatePem, 0o644],
  ]);
  return checked(made.certificatePem, made.keyPem, ...paths);
}

/** Before it expires. The key stays: who knows the server by that has nothing to do. */
export function renewedIdentity(
  folder: string,
  names: readonly string[],
  now: Date,
  { keyPem }: TlsIdentity,
): TlsIdentity {
  const paths = pathsIn(folder);
  const { certificatePem } = selfSigned(names, FROM, untilOf(now), ownKey(keyPem, paths[1]));
  writeWhole(folder, [[paths[0], certificatePem, 0o644]]);
  return checked(certificatePem, keyPem, ...paths);
}

/** Versions before made it so when the clock stood in 1970: whatever the clock says now, nobody can use it. */
export const isStillborn = ({ validUntilMs }: TlsIdentity): boolean => validUntilMs <= SURELY_PAST_MS;

function untilOf(now: Date): Date {
  const until = new Date(Math.max(now.getTime(), SURELY_PAST_MS));
  until.setUTCFullYear(until.getUTCFullYear() + VALID_YEARS);
  return until;
}

function writeWhole(folder: string, files: readonly (readonly [string, string, number])[]): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [path, text, mode] of files) {
      rmSync(`${path}.new`, { force: true });
      writeFileSync(`${path}.new`, text, { mode, flag: "wx", flush: true });
      renameSync(`${path}.new`, path);
    }
  } catch (error) {
    throw new TlsError(
      `${folder}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
}

/** The folder's own is read by nobody else; one that was given, or put back, may be. */
export function keyIsOpen(path: string): boolean {
  const EVERYBODY_READS = 0o004;
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & EVERYBODY_READS) !== 0;
}

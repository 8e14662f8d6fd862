/** The certificate and key that the ports show: from files, or made once and kept in the state folder. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fingerprint, selfSigned } from "./certificate";
import { TlsError } from "./tls_error";

export interface TlsIdentity {
  certificatePem: string;
  keyPem: string;
  /** SHA-256. */
  fingerprint: string;
}

/** Clients pin it: it outlives the machine rather than changing behind their back. */
const VALID_YEARS = 20;
/** A clock that was not set yet must not make it begin in the future, or end before it began. */
const VALID_FROM = Date.UTC(2020, 0, 1);

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT") return null;
    throw new TlsError(`${path}: cannot be read (${code})`);
  }
}

function checked(certificatePem: string, keyPem: string, certificatePath: string, keyPath: string): TlsIdentity {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    throw new TlsError(`${certificatePath}: is no certificate in PEM`);
  }
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    throw new TlsError(`${keyPath}: is no private key in PEM, or has a passphrase`);
  }
  if (!matches) throw new TlsError(`${keyPath}: is not the key of ${certificatePath}`);
  return { certificatePem, keyPem, fingerprint: fingerprint(certificatePem) };
}

export function identityFromFiles(certificatePath: string, keyPath: string): TlsIdentity {
  const [certificatePem, keyPem] = [readText(certificatePath), readText(keyPath)];
  if (certificatePem === null) throw new TlsError(`${certificatePath}: is not there`);
  if (keyPem === null) throw new TlsError(`${keyPath}: is not there`);
  return checked(certificatePem, keyPem, certificatePath, keyPath);
}

/** names: what clients may call us by. Made at the first start alone. */
export function ownIdentity(folder: string, names: readonly string[], now: Date): TlsIdentity {
  const certificatePath = join(folder, "tls-certificate.pem");
  const keyPath = join(folder, "tls-key.pem");
  const [kept, keptKey] = [readText(certificatePath), readText(keyPath)];
  if (kept !== null && keptKey !== null) return checked(kept, keptKey, certificatePath, keyPath);
  const until = new Date(Math.max(now.getTime(), VALID_FROM));
  until.setUTCFullYear(until.getUTCFullYear() + VALID_YEARS);
  const made = selfSigned(names, new Date(VALID_FROM), until);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const [path, text, mode] of [
      [keyPath, made.keyPem, 0o600],
      [certificatePath, made.certificatePem, 0o644],
    ] as const) {
      rmSync(`${path}.new`, { force: true });
      writeFileSync(`${path}.new`, text, { mode, flag: "wx", flush: true });
      renameSync(`${path}.new`, path);
    }
  } catch (error) {
    throw new TlsError(
      `${folder}: cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown error"})`,
    );
  }
  return checked(made.certificatePem, made.keyPem, certificatePath, keyPath);
}

/** A self-signed certificate (X.509 v3, RFC 5280) on P-256, in the few DER types that it needs. */
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";

export interface SelfSigned {
  certificatePem: string;
  keyPem: string;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;
/** Of GeneralName: dNSName and iPAddress. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const COMMON_NAME = [0x55, 0x04, 0x03]; /* 2.5.4.3 */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]; /* 1.2.840.10045.4.3.2 */
const SUBJECT_KEY_ID = [0x55, 0x1d, 0x0e];
const KEY_USAGE = [0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const EXTENDED_KEY_USAGE = [0x55, 0x1d, 0x25];
const SERVER_AUTH = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]; /* 1.3.6.1.5.5.7.3.1 */

function der(tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const extension = (id: readonly number[], critical: boolean, value: Uint8Array): Buffer =>
  der(SEQUENCE, der(OBJECT_IDENTIFIER, id), critical ? [0x01, 0x01, 0xff] : [], der(OCTET_STRING, value));

/** Two digits of the year until 2049, four from then on (RFC 5280, 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  const short = at.getUTCFullYear() < 2050;
  return der(short ? UTC_TIME : GENERALIZED_TIME, Buffer.from(short ? digits.slice(2) : digits));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const missing = address.includes("::") ? 8 - groups(head).length - groups(tail).length : 0;
  const all = [...groups(head), ...new Array<string>(missing).fill("0"), ...groups(tail)];
  return Buffer.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

const pem = (body: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${body.toString("base64").replaceAll(/(.{64})(?=.)/g, "$1\n")}\n-----END CERTIFICATE-----\n`;

/** names: DNS names and addresses that clients call us by, at least one. key: on P-256; without one it is made. */
export function selfSigned(
  names: readonly string[],
  from: Date,
  until: Date,
  key: KeyObject | null = null,
): SelfSigned {
  const privateKey = key ?? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const publicInfo = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never shorter
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const commonName = der(
    SEQUENCE,
    der(OBJECT_IDENTIFIER, COMMON_NAME),
    der(UTF8_STRING, Buffer.from("dahdi-phone-api")),
  );
  const name = der(SEQUENCE, der(SET, commonName));
  const alternatives = names.map((one) =>
    isIP(one) ? der(IP_ADDRESS, addressBytes(one)) : der(DNS_NAME, Buffer.from(one, "ascii")),
  );
  const extensions = der(
    SEQUENCE,
    extension(BASIC_CONSTRAINTS, true, der(SEQUENCE)), // no authority: it can sign nothing else
    extension(KEY_USAGE, true, der(BIT_STRING, [0x07, 0x80])), // digitalSignature
    extension(EXTENDED_KEY_USAGE, false, der(SEQUENCE, der(OBJECT_IDENTIFIER, SERVER_AUTH))),
    extension(SUBJECT_KEY_ID, false, der(OCTET_STRING, createHash("sha1").update(publicInfo).digest())),
    extension(SUBJECT_ALT_NAME, false, der(SEQUENCE, ...alternatives)),
  );
  const toBeSigned = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, [2])), // v3
    der(INTEGER, serial),
    algorithm,
    name,
    der(SEQUENCE, time(from), time(until)),
    name,
    publicInfo,
    der(EXPLICIT_3, extensions),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  return {
    certificatePem: pem(der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, [0], signature))),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** SHA-256, as browsers and `openssl x509 -fingerprint -sha256` show it. */
export const fingerprint = (certificatePem: string): string => new X509Certificate(certificatePem).fingerprint256;

/** Standard Webhooks: who sent it, and that nobody changed it. */

const PREFIX = "whsec_";
/** The specification's bounds, bytes of random key. */
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** The key of "whsec_<base64>"; null where it is none. */
export function signingKey(secret: string): Uint8Array | null {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : "";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text, "base64");
  return key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES ? key : null;
}

/** timestampS: Unix seconds of this attempt; the id is the same for every attempt. */
export function signedHeaders(
  key: Uint8Array,
  id: string,
  timestampS: number,
  body: string,
): Record<string, string> {
  const signature = new Bun.CryptoHasher("sha256", key).update(`${id}.${timestampS}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampS),
    "webhook-signature": `v1,${signature}`,
  };
}

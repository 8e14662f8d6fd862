/** X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the POSTed parameters, of which a WebSocket has none. */
export const twilioSignature = (authToken: string, url: string): string =>
  new Bun.CryptoHasher("sha1", authToken).update(url).digest("base64");

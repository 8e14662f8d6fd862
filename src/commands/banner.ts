/** What a person at a terminal is greeted with. */
import { hostname } from "node:os";
import { version } from "../../package.json";

export interface Served {
  host: string;
  restPort: number;
  websocketPort: number;
  simulated: boolean;
  /** SHA-256 of the certificate; null: no TLS. */
  fingerprint: string | null;
  /** Requests need a token. */
  tokens: boolean;
}

export function banner({
  host: address,
  restPort,
  websocketPort,
  simulated,
  fingerprint,
  tokens,
}: Served): string {
  // Every address is none to go to; this machine's name is one.
  const everywhere = address === "0.0.0.0" || address === "::";
  const host = everywhere ? hostname() : address.includes(":") ? `[${address}]` : address;
  const tls = fingerprint === null ? "" : "s";
  const rest = `http${tls}://${host}:${restPort}`;
  const curl = `curl${tls && " -k"}${tokens ? ' -H "Authorization: Bearer $TOKEN"' : ""}`;
  const lines = [
    "",
    `DAHDI Phone API ${version}${simulated ? ", simulated telephones" : ""}`,
    "",
    `  Swagger UI   ${rest}/docs`,
    `  REST         ${rest}/status`,
    `  WebSocket    ws${tls}://${host}:${websocketPort}/ws`,
    ...(fingerprint === null ? [] : [`  Certificate  SHA-256 ${fingerprint}`]),
    ...(tokens ? ["  Tokens       needed: dahdi-phone-api token create"] : []),
    "",
  ];
  if (simulated) {
    lines.push(
      "Watch, in a terminal of its own:",
      `  ${curl} -N ${rest}/events/stream`,
      "Ring telephone 1; lift it and press keys:",
      `  ${curl} -X POST ${rest}/ring -d '{"pattern":"NORMAL"}'`,
      `  ${curl} -X POST ${rest}/simulator/lines/1/lift && ${curl} -X POST ${rest}/simulator/lines/1/press -d '{"digits":"123#"}'`,
      "",
    );
  }
  return `${lines.join("\n")}\n`;
}

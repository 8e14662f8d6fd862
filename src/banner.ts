/** What a person at a terminal is greeted with. */
import { version } from "../package.json";

export function banner(address: string, restPort: number, websocketPort: number, simulated: boolean): string {
  const host = address.includes(":") ? `[${address}]` : address;
  const rest = `http://${host}:${restPort}`;
  const lines = [
    "",
    `DAHDI Phone API ${version}${simulated ? ", simulated telephones" : ""}`,
    "",
    `  Swagger UI   ${rest}/docs`,
    `  REST         ${rest}/status`,
    `  WebSocket    ws://${host}:${websocketPort}/ws`,
    "",
  ];
  if (simulated) {
    lines.push(
      "Three things to try:",
      `  curl -X POST ${rest}/ring -d '{"pattern":"NORMAL"}'`,
      `  curl -X POST ${rest}/simulator/lines/1/lift && curl -X POST ${rest}/simulator/lines/1/press -d '{"digits":"123#"}'`,
      `  curl ${rest}/events`,
      "",
    );
  }
  return `${lines.join("\n")}\n`;
}

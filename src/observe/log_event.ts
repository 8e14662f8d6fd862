/** What of a line's events goes into the log as well. */
import type { Logs } from "./log";

export function logEvent(logs: Logs, line: number, body: { type: string }): void {
  if (body.type === "error" && "error" in body) {
    const { code, message, fix } = body.error as { code: string; message: string; fix: string };
    logs.driver.error(message, { line, code, fix });
    return;
  }
  if (logs.events.enabled("debug")) logs.events.debug(body.type, { line });
}

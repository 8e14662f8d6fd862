/** The audit log: one line for everything that could change something, whatever became of it. */
import type { Log } from "../observe/log";
import { type Passage, pathOf } from "./passage";

export function tellAudit(
  audit: Log,
  request: Request,
  passage: Passage,
  status: number,
  requestId: string | null,
): void {
  audit.info(status < 400 ? "done" : "refused", {
    who: passage.token?.name ?? null,
    address: passage.address,
    what: `${request.method} ${pathOf(request.url).slice(0, 200)}`,
    line: passage.line,
    status,
    ...(passage.code === null ? {} : { code: passage.code }),
    request_id: requestId,
  });
}

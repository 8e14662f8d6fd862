/** Every request to a route: an id in the answer and in the log, and how long it took. */
import { toProblem } from "./problem";

export const REQUEST_ID_HEADER = "x-request-id";

/** What of Elysia's `set` is needed. */
export interface Answering {
  headers: Record<string, string | number>;
}

/** A proxy's or client's own id is kept, so that one name follows a request through all logs. */
const FROM_CLIENT = /^[\w.:-]{1,64}$/;
const INTERNAL_ERROR = 500;
const OK = 200;
const MS_PER_S = 1000;

/** Unlike those of the process before, and cheap. */
const prefix = Bun.randomUUIDv7().slice(0, 8);
let last = 0;

export function requestIdOf(request: Request): string {
  const given = request.headers.get(REQUEST_ID_HEADER);
  return given !== null && FROM_CLIENT.test(given) ? given : `${prefix}-${(++last).toString(36)}`;
}

/** As a log's field. */
export function requestIdIn({ headers }: { headers: object }): { request_id?: string } {
  const id = (headers as Record<string, unknown>)[REQUEST_ID_HEADER];
  return typeof id === "string" ? { request_id: id } : {};
}

const statusOfAnswer = (answer: unknown): number => (answer instanceof Response ? answer.status : OK);
const statusOfError = (error: unknown): number => toProblem(error)?.status ?? INTERNAL_ERROR;

/** told: once, when the answer is there or its failure. */
export function timed(told: (status: number, seconds: number) => void, handle: () => unknown): unknown {
  const startedAtMs = performance.now();
  const answered = (status: number): void => told(status, (performance.now() - startedAtMs) / MS_PER_S);
  const failed = (error: unknown): never => {
    answered(statusOfError(error));
    throw error;
  };
  try {
    const answer = handle();
    if (answer instanceof Promise) {
      return answer.then((settled: unknown) => {
        answered(statusOfAnswer(settled));
        return settled;
      }, failed);
    }
    answered(statusOfAnswer(answer));
    return answer;
  } catch (error) {
    return failed(error);
  }
}

/** What the guard learned of a request travels on it: to the route, and to the audit log. */
import type { Token } from "../security/token";
import type { Problem } from "./problem";

export interface Passage {
  /** "" where it is not to be had. */
  address: string;
  token: Token | null;
  /** What a route knows of it, for the audit log. */
  line: number | null;
  code: string | null;
}

const PASSAGE = Symbol("passage");
type Passing = Request & { [PASSAGE]?: Passage };

export const passageOf = (request: Request): Passage | undefined => (request as Passing)[PASSAGE];
export function keepPassage(request: Request, passage: Passage): void {
  (request as Passing)[PASSAGE] = passage;
}

/** What the route found wrong. */
export function noteProblem(request: Request, problem: Problem): void {
  const passage = passageOf(request);
  if (passage) passage.code = problem.code;
}

/** The token that came with it; null: none was needed. */
export const tokenOf = (request: Request): Token | null => passageOf(request)?.token ?? null;

/** "" of what is none: CONNECT brings a host and a port. */
export const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : "");

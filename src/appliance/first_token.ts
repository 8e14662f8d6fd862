/** The token that install makes, so that a telephone which the network may reach is never open to everybody. */
import { TokenFile } from "../security/token_file";
import { makeToken, TokenError } from "../security/token_registry";

const FIRST_TOKEN = "install";

/** Null: it was made before, and is not shown twice. */
export function firstToken(stateFolder: string, nowMs: number): string | null {
  const wanted = { name: FIRST_TOKEN, scope: "admin", lines: null, expiresAtMs: null } as const;
  try {
    return makeToken(new TokenFile(stateFolder), wanted, nowMs).secret;
  } catch (error) {
    if (error instanceof TokenError && error.fault === "token_exists") return null;
    throw error;
  }
}

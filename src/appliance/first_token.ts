/** The token that install makes, so that a telephone which the network may reach is never open to everybody. */
import { TokenFile, TokenFileError } from "../security/token_file";
import { makeToken, TokenError } from "../security/token_registry";
import { ApplianceError } from "./appliance_error";

const FIRST_TOKEN = "install";

/** Before anything is done: one that is damaged is not written over. */
export function requireTokenFile(stateFolder: string): void {
  try {
    new TokenFile(stateFolder).read();
  } catch (error) {
    throw new ApplianceError((error as Error).message);
  }
}

/** Null: it was made before, and is not shown twice. */
export function firstToken(stateFolder: string, nowMs: number): string | null {
  const wanted = { name: FIRST_TOKEN, scope: "admin", lines: null, expiresAtMs: null } as const;
  try {
    return makeToken(new TokenFile(stateFolder), wanted, nowMs).secret;
  } catch (error) {
    if (error instanceof TokenError && error.fault === "token_exists") return null;
    if (error instanceof TokenError || error instanceof TokenFileError) throw new ApplianceError(error.message);
    throw error;
  }
}

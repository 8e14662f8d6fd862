/** The token that install makes, so that a telephone which the network may reach is never open to everybody. */
import { existsSync } from "node:fs";
import { LOCK_STALE_MS, TokenFile, TokenFileError } from "../security/token_file";
import { makeToken, TokenError } from "../security/token_registry";
import { ApplianceError } from "./appliance_error";

export const FIRST_TOKEN = "install";
/** Whoever held the file's lock and was ended is outwaited. */
const PATIENCE_MS = LOCK_STALE_MS + 1000;

/** Before anything is done: one that is damaged is not written over. configured: the folder is somebody's choice. */
export function requireTokenFile(stateFolder: string, configured: boolean): void {
  // Made here, it would be root's.
  if (configured && !existsSync(stateFolder))
    throw new ApplianceError(`state_dir ${stateFolder} is not there: make it, and give it to the service's user`);
  try {
    new TokenFile(stateFolder).read();
  } catch (error) {
    throw new ApplianceError((error as Error).message);
  }
}

/**
 * Shown before it counts: one that is kept but was seen by nobody would open the door to nobody, and stand in the way of
 * another. False: it was made before, and is not shown twice.
 */
export function firstToken(stateFolder: string, nowMs: number, show: (secret: string) => boolean): boolean {
  const wanted = { name: FIRST_TOKEN, scope: "admin", lines: null, expiresAtMs: null } as const;
  try {
    makeToken(new TokenFile(stateFolder, PATIENCE_MS), wanted, nowMs, (secret) => {
      if (!show(secret))
        throw new ApplianceError("the token cannot be shown here, so none is kept: type it again");
    });
    return true;
  } catch (error) {
    if (error instanceof TokenError && error.fault === "token_exists") return false;
    if (error instanceof TokenError || error instanceof TokenFileError) throw new ApplianceError(error.message);
    throw error;
  }
}

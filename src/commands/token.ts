/** `dahdi-phone-api token …`: makes, lists and revokes tokens of a server, running or not. */
import { homedir } from "node:os";
import type { TokenArguments } from "../command_line";
import { loadConfig } from "../config/load";
import { administeredDirectory } from "../config/state_dir";
import { isExpired, type Token } from "../security/token";
import { TokenFile, TokenFileError } from "../security/token_file";
import { makeToken, revokeToken, TokenError } from "../security/token_registry";
import { StartError } from "./start_error";

const DAY_MS = 24 * 60 * 60 * 1000;

export interface TokenCommandOutput {
  /** What a script wants: standard output. */
  out: string;
  /** What a person wants to know besides: standard error. */
  note: string;
}

function row(token: Token, nowMs: number): string {
  const lines = token.lines === null ? "all lines" : `lines ${token.lines.join(",")}`;
  const until = token.expires_at === null ? "until revoked" : `until ${token.expires_at}`;
  return `${token.name}\t${token.scope}\t${lines}\t${isExpired(token, nowMs) ? "expired" : until}\n`;
}

export function runTokenCommand(line: TokenArguments, file: TokenFile, nowMs: number): TokenCommandOutput {
  if (line.action === "list") {
    const tokens = file.read();
    return { out: tokens.map((token) => row(token, nowMs)).join(""), note: `${tokens.length} in ${file.path}\n` };
  }
  if (line.action === "revoke") {
    revokeToken(file, line.name);
    const open =
      "no token is left: but for those of the configuration, everybody on this machine may do everything again\n";
    const note = `revoked ${line.name} in ${file.path}: a running server knows within a second\n`;
    return { out: "", note: file.read().length === 0 ? note + open : note };
  }
  const expiresAtMs = line.expiresInDays === null ? null : nowMs + line.expiresInDays * DAY_MS;
  const made = makeToken(file, { name: line.name, scope: line.scope, lines: line.lines, expiresAtMs }, nowMs);
  return {
    out: `${made.secret}\n`,
    note: `${row(made.token, nowMs).trim().replaceAll("\t", ", ")}: kept as a hash in ${file.path}, and shown this once\n`,
  };
}

export async function token(line: TokenArguments): Promise<void> {
  // On 127.0.0.1 a configuration without tokens is right: here they are made.
  const { config } = await loadConfig(line.configPath, process.env, {
    host: "127.0.0.1",
    restPort: null,
    websocketPort: null,
  });
  const folder = administeredDirectory(config.state_dir, process.env, homedir());
  if (folder === null) throw new StartError("there is no folder to keep tokens in: set state_dir");
  try {
    const { out, note } = runTokenCommand(line, new TokenFile(folder), Date.now());
    process.stderr.write(note);
    process.stdout.write(out);
  } catch (error) {
    if (error instanceof TokenFileError || error instanceof TokenError) throw new StartError(error.message);
    throw error;
  }
}

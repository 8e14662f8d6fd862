/** The two TCP ports: free, or whose. */
import type { Config } from "../config/schema";
import { error, type Finding, ok } from "./findings";
import { holderNames, holdersOf, OUR_NAME, ourServices, stopCommand } from "./holders";
import type { System } from "./system";

const LISTEN = "0A";

/** Inodes of the sockets that listen on a port, of all addresses. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  return table
    .split("\n")
    .map((row) => row.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.split(":").at(-1) === wanted)
    .map((words) => words[9] ?? "");
}

const KEYS = { port_rest: "rest_port", port_websocket: "websocket_port" } as const;

async function checkPort(
  system: System,
  id: keyof typeof KEYS,
  host: string,
  port: number,
  editConfig: string,
): Promise<Finding> {
  const what = id === "port_rest" ? "REST port" : "WebSocket port";
  if (port === 0) return ok(id, `${what} 0: any free one is taken`);
  const code = await system.tryListen(host, port);
  if (code === null) return ok(id, `${what} ${port} on ${host} is free`);
  if (code === "EADDRINUSE") return inUse(system, id, `${what} ${port}`);
  if (code === "EACCES") {
    return error(id, `${what} ${port} is for root alone`, {
      detail: `Choose one from 1024 on in the configuration, as in server: { ${KEYS[id]}: ${port + 8000} }.`,
      fix: editConfig,
    });
  }
  const unknown = code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN";
  return error(id, `Cannot listen on ${host} port ${port} (${code})`, {
    detail: unknown
      ? `${host} is no address of this machine (ip -brief address lists them): see server.host.`
      : "",
    fix: unknown ? editConfig : null,
  });
}

function inUse(system: System, id: keyof typeof KEYS, what: string): Finding {
  const port = Number(what.split(" ").at(-1));
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => system.readText(path) ?? "").join("\n");
  const sockets = new Set(listeningInodes(tables, port).map((inode) => `socket:[${inode}]`));
  const { holders, sawAll } = holdersOf(system, (link) => sockets.has(link));
  const mine = holders.filter(({ name }) => name === OUR_NAME);
  if (mine.length > 0) return ok(id, `${what} is served by the running ${holderNames(mine)}`);
  const ours = sawAll || holders.length > 0 ? [] : ourServices(system);
  if (ours.length > 0) return ok(id, `${what} is in use, probably by the running ${holderNames(ours)}`);
  const detail = `Stop that program, or choose another ${KEYS[id]} in the configuration.`;
  if (holders.length === 0) {
    return error(id, `${what} is in use`, {
      detail: sawAll ? detail : `${detail} Only root may see whose it is: ask the doctor with sudo.`,
      fix: `sudo ss -ltnp 'sport = :${port}'`,
    });
  }
  return error(id, `${what} is in use by ${holderNames(holders)}`, { detail, fix: stopCommand(holders) });
}

export async function checkPorts(
  system: System,
  server: Config["server"],
  editConfig: string,
): Promise<Finding[]> {
  const { host, rest_port, websocket_port } = server;
  const rest = await checkPort(system, "port_rest", host, rest_port, editConfig);
  if (rest_port === websocket_port && rest_port !== 0) {
    return [
      rest,
      error("port_websocket", `REST and WebSocket are both to have port ${rest_port}`, {
        detail: `They need two, as in server: { rest_port: ${rest_port}, websocket_port: ${rest_port + 1} }.`,
        fix: editConfig,
      }),
    ];
  }
  return [rest, await checkPort(system, "port_websocket", host, websocket_port, editConfig)];
}

/** That it serves: to the log, to a person at a terminal, or to the program that started it. */
import type { ServeArguments } from "../command_line";
import type { Config } from "../config/schema";
import { errnoName } from "../driver/faults";
import type { Logs } from "../observe/log";
import { isTerminal, lineWriter } from "../observe/standard_output";
import { banner } from "./banner";

interface Served {
  line: ServeArguments;
  config: Config;
  /** Of the configuration. */
  path: string | null;
  ports: [rest: number, websocket: number];
  lines: number;
  engine: { realtime: number; realtime_error: number };
  /** Requests need one. */
  tokens: boolean;
  /** Of the certificate; null: no TLS. */
  fingerprint: string | null;
  logs: Logs;
}

export function announce({ line, config, path, ports, lines, engine, tokens, fingerprint, logs }: Served): void {
  const { host } = config.server;
  const [restPort, websocketPort] = ports;
  const simulated = line.simulatePorts !== null;
  logs.server.info("serving", {
    host,
    rest_port: restPort,
    websocket_port: websocketPort,
    lines,
    simulated,
    config: path,
    realtime: engine.realtime === 1,
    tokens,
    ...(fingerprint ? { tls_sha256: fingerprint } : {}),
  });
  if (engine.realtime !== 1) {
    logs.driver.info("the I/O thread runs without real-time priority", {
      error: errnoName(engine.realtime_error),
      fix: "give the service LimitRTPRIO=10",
    });
  }
  if (line.announce) {
    const announced = { rest_port: restPort, websocket_port: websocketPort, pid: process.pid };
    lineWriter("stdout").write(`${JSON.stringify(announced)}\n`);
  } else if (isTerminal("stdout") || simulated) {
    lineWriter("stdout").write(banner({ host, restPort, websocketPort, simulated, fingerprint, tokens }));
  }
}

/** The log: text for a person at a terminal, JSON lines for everything else. One level for each component. */
import { appendFileSync, openSync } from "node:fs";

export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The four that the contract names, the process itself, and who did what. */
export const LOG_COMPONENTS = ["server", "websocket", "rest", "events", "driver", "audit"] as const;
export type LogComponent = (typeof LOG_COMPONENTS)[number];

/** Numbers carry their unit in the name. Never a secret, never a request's body. */
export type LogFields = Record<string, string | number | boolean | null>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Worth building fields for? */
  enabled(level: LogLevel): boolean;
}

export type Logs = Record<LogComponent, Log>;

export interface LogOptions {
  level: LogLevel;
  levels: Partial<Record<LogComponent, LogLevel>>;
  format: "auto" | "text" | "json";
  /** "stderr", "stdout" or a file's path. */
  output: string;
}

export function createLogs(options: LogOptions, now: () => Date = () => new Date()): Logs {
  const stream = options.output === "stdout" ? process.stdout : process.stderr;
  const toFile = options.output !== "stdout" && options.output !== "stderr";
  const file = toFile ? openSync(options.output, "a") : null;
  const write = (line: string): void => {
    if (file === null) stream.write(line);
    else appendFileSync(file, line);
  };
  const text = options.format === "text" || (options.format === "auto" && !toFile && stream.isTTY === true);
  const line = text ? textLine : jsonLine;
  const logFor = (component: LogComponent): Log => {
    const lowest = LOG_LEVELS.indexOf(options.levels[component] ?? options.level);
    const at =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (LOG_LEVELS.indexOf(level) >= lowest) write(line(now(), level, component, message, fields));
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warning: at("warning"),
      error: at("error"),
      enabled: (level) => LOG_LEVELS.indexOf(level) >= lowest,
    };
  };
  return Object.fromEntries(LOG_COMPONENTS.map((component) => [component, logFor(component)])) as Logs;
}

type Format = (at: Date, level: LogLevel, component: LogComponent, message: string, fields: LogFields) => string;

const jsonLine: Format = (at, level, component, message, fields) =>
  `${JSON.stringify({ time: at.toISOString(), level, component, message, ...fields })}\n`;

const textLine: Format = (at, level, component, message, fields) => {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const clock = at.toISOString().slice(11, 23);
  return `${clock} ${level.toUpperCase().padEnd(7)} ${component.padEnd(9)} ${message}${rest.join("")}\n`;
};

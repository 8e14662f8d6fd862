/** The log: text for a person at a terminal, JSON lines for everything else. One level for each component. */
import { LogFile } from "./log_file";
import { LogQueue } from "./log_queue";
import { isStandardOutput, isTerminal, type LineWriter, lineWriter } from "./standard_output";

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

export interface LogLevels {
  level: LogLevel;
  levels: Partial<Record<LogComponent, LogLevel>>;
}

/** Who did what is no chatter: only levels.audit silences it. */
const AUDIT_LEVEL: LogLevel = "info";

export interface LogOptions extends LogLevels {
  format: "auto" | "text" | "json";
  /** "stderr", "stdout" or a file's path. */
  output: string;
  maxBytes: number;
  keep: number;
  /** Standard error is journald's: a line begins with its priority, see sd-daemon(3). */
  journal: boolean;
}

/** What may change of a log, and what it remembers. */
export interface LogControl {
  setLevels(levels: LogLevels): void;
  /** After somebody moved the file away. */
  reopen(): void;
  /** What was logged is written, as far as it can be. */
  flushed(): Promise<void>;
  /** The process ends: what was logged is written, unless its disk stands still. */
  lastBreath(): void;
  /** Lines that could not be written, and were too many to keep. */
  lostLines(): number;
  /** The newest lines as JSON, oldest first, whatever the format. */
  recent(): readonly string[];
}

const RECENT_LINES = 500;
/** syslog(3). */
const PRIORITIES: Record<LogLevel, number> = { debug: 7, info: 6, warning: 4, error: 3 };

export function createLogs(
  options: LogOptions,
  now: () => Date = () => new Date(),
): { logs: Logs; control: LogControl } {
  const { output, format } = options;
  const standard = isStandardOutput(output) ? output : null;
  const file = standard ? null : logInFile(options, (level, message, fields) => said(level, message, fields));
  const stream = standard ? lineWriter(standard, (lines) => lost(lines)) : null;
  const text = format === "text" || (format === "auto" && standard !== null && isTerminal(standard));
  const recent: string[] = [];
  const lowest = {} as Record<LogComponent, number>;
  const setLevels = ({ level, levels }: LogLevels): void => {
    for (const name of LOG_COMPONENTS) {
      lowest[name] = LOG_LEVELS.indexOf(levels[name] ?? (name === "audit" ? AUDIT_LEVEL : level));
    }
  };
  setLevels(options);
  const write = (level: LogLevel, component: LogComponent, message: string, fields: LogFields): void => {
    const at = now();
    const json = jsonLine(at, level, component, message, fields);
    if (recent.push(json) > RECENT_LINES) recent.shift();
    const line = text ? textLine(at, level, component, message, fields) : json;
    if (file) file.queue.write(line, component === "audit");
    else stream?.write(options.journal ? `<${PRIORITIES[level]}>${line}` : line);
  };
  let errors: LineWriter | null = null;
  /** Where the file cannot be written, it is told on standard error as well. */
  const said: Said = (level, message, fields) => {
    write(level, "server", message, fields);
    errors ??= lineWriter("stderr");
    errors.write(jsonLine(now(), level, "server", message, fields));
  };
  const lost = (lines: number): void => write("warning", "server", "lines of the log were lost", { lines });
  const logFor = (component: LogComponent): Log => {
    const at =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (LOG_LEVELS.indexOf(level) >= lowest[component]) write(level, component, message, fields);
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warning: at("warning"),
      error: at("error"),
      enabled: (level) => LOG_LEVELS.indexOf(level) >= lowest[component],
    };
  };
  const logs = Object.fromEntries(LOG_COMPONENTS.map((name) => [name, logFor(name)])) as Logs;
  const control: LogControl = {
    setLevels,
    reopen: () => file?.reopen(),
    flushed: async () => await file?.queue.flushed(),
    lastBreath: () => file?.queue.lastBreath(),
    lostLines: () => file?.queue.lostLines ?? stream?.lostLines() ?? 0,
    recent: () => recent,
  };
  return { logs, control };
}

type Said = (level: LogLevel, message: string, fields: LogFields) => void;

function logInFile({ output, maxBytes, keep }: LogOptions, say: Said): { queue: LogQueue; reopen(): void } {
  const monotonicMs = () => performance.now();
  const complain = (message: string): void => say("warning", message, {});
  const file = new LogFile({ path: output, maxBytes, keep, monotonicMs, complain });
  const queue = new LogQueue({
    append: (lines) => file.append(lines),
    appendNow: (lines) => file.appendNow(lines),
    monotonicMs,
    troubled: (error) =>
      say("error", "the log cannot be written: its newest lines are kept in memory", { file: output, error }),
    recovered: ({ lines, audit }) =>
      say("warning", "the log is written again", { file: output, lost_lines: lines, lost_audit_lines: audit }),
  });
  return {
    queue,
    reopen: () => {
      file.reopen();
      queue.tryAgain();
    },
  };
}

type Format = (at: Date, level: LogLevel, component: LogComponent, message: string, fields: LogFields) => string;

const jsonLine: Format = (at, level, component, message, fields) =>
  `${JSON.stringify({ time: at.toISOString(), level, component, message, ...fields })}\n`;

const textLine: Format = (at, level, component, message, fields) => {
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
  const clock = at.toISOString().slice(11, 23);
  return `${clock} ${level.toUpperCase().padEnd(7)} ${component.padEnd(9)} ${message}${rest.join("")}\n`;
};

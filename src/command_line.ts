/** What was typed after the program's name. Pure. */

export interface ServeArguments {
  command: "serve";
  configPath: string | null;
  /** Number of simulated telephones, null for a real card. */
  simulatePorts: number | null;
  host: string | null;
  restPort: number | null;
  websocketPort: number | null;
  /** Print one JSON line with the ports on standard output when ready: for programs that start this one. */
  announce: boolean;
}

export type CommandLine = { command: "help" } | { command: "version" } | ServeArguments;

/** Something typed cannot be understood. The message is one line. */
export class UsageError extends Error {}

export const DEFAULT_SIMULATED_PORTS = 4;
export const MAX_SIMULATED_PORTS = 32;

export const HELP = `An analog telephone on a DAHDI FXS card, as a REST and WebSocket API.

Usage: dahdi-phone-api [serve] [options]

  --simulate[=PORTS]      no card: simulated telephones, ${DEFAULT_SIMULATED_PORTS} unless told (1 to ${MAX_SIMULATED_PORTS})
  --config=FILE           configuration (default: /etc/dahdi_phone/config.yml, if it exists)
  --host=ADDRESS          listen here (default: 127.0.0.1)
  --rest-port=PORT        REST and Swagger UI (default: 8000; 0 takes any free port)
  --websocket-port=PORT   WebSocket (default: 8001)
  --announce              print {"rest_port":…,"websocket_port":…,"pid":…} on standard output when ready
  --version
  --help

Try it without hardware:
  dahdi-phone-api --simulate
  then open http://127.0.0.1:8000/docs
`;

export function parseCommandLine(argv: readonly string[]): CommandLine {
  const serve: ServeArguments = {
    command: "serve",
    configPath: null,
    simulatePorts: null,
    host: null,
    restPort: null,
    websocketPort: null,
    announce: false,
  };
  const words = [...argv];
  let commandSeen = false;
  while (words.length > 0) {
    const word = words.shift() as string;
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const given = equals < 0 ? null : word.slice(equals + 1);
    const value = (): string => {
      const text = given ?? words.shift();
      if (text === undefined || text === "") throw new UsageError(`${name} needs a value, as in ${name}=…`);
      return text;
    };
    const noValue = (): void => {
      if (given !== null) throw new UsageError(`${name} takes no value`);
    };
    switch (name) {
      case "serve":
        if (commandSeen) throw new UsageError("serve stands once");
        commandSeen = true;
        break;
      case "--help":
      case "-h":
      case "help":
        return { command: "help" };
      case "--version":
      case "-V":
      case "version":
        return { command: "version" };
      case "--simulate":
        // Its value is optional, so it must be joined with "=".
        serve.simulatePorts =
          given === null ? DEFAULT_SIMULATED_PORTS : wholeNumber(name, given, 1, MAX_SIMULATED_PORTS);
        break;
      case "--config":
        serve.configPath = value();
        break;
      case "--host":
        serve.host = value();
        break;
      case "--rest-port":
        serve.restPort = wholeNumber(name, value(), 0, 65_535);
        break;
      case "--websocket-port":
        serve.websocketPort = wholeNumber(name, value(), 0, 65_535);
        break;
      case "--announce":
        noValue();
        serve.announce = true;
        break;
      default:
        throw new UsageError(`${word} is not known: see dahdi-phone-api --help`);
    }
  }
  return serve;
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= low && number <= high) return number;
  throw new UsageError(`${name} takes a whole number from ${low} to ${high}, not "${text}"`);
}

/** What was typed after the program's name. Pure. */
import { SCOPES, type Scope, TOKEN_NAME, TOKEN_NAME_RULE } from "./security/token";

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

export interface DoctorArguments extends Omit<ServeArguments, "command" | "announce"> {
  command: "doctor";
  json: boolean;
  /** The line to test as well. */
  selfTest: number | null;
  /** The test rings it. */
  ring: boolean;
}

export interface ReplayArguments {
  command: "replay";
  /** A flight recording. */
  path: string;
  json: boolean;
}

export type TokenArguments = { command: "token"; configPath: string | null } & (
  | {
      action: "create";
      name: string;
      scope: Scope;
      /** null: all. */
      lines: number[] | null;
      /** null: until it is revoked. */
      expiresInDays: number | null;
    }
  | { action: "list" }
  | { action: "revoke"; name: string }
);

export type CommandLine =
  | { command: "help" }
  | { command: "version" }
  | ServeArguments
  | DoctorArguments
  | ReplayArguments
  | TokenArguments;

/** Something typed cannot be understood. The message is one line. */
export class UsageError extends Error {}

export const DEFAULT_SIMULATED_PORTS = 4;
export const MAX_SIMULATED_PORTS = 32;
const MAX_CHANNEL = 1023; /* DAHDI_MAX_CHANNELS − 1 */

export const HELP = `An analog telephone on a DAHDI FXS card, as a REST and WebSocket API.

Usage: dahdi-phone-api [serve] [options]
       dahdi-phone-api doctor [options]     explains this installation, and how to mend it
       dahdi-phone-api install | uninstall | upgrade   makes a service of it: see each one's --help
       dahdi-phone-api config check         reads the configuration and says what is wrong in it
       dahdi-phone-api backup FILE          configuration and state in one file; restore FILE puts them back
       dahdi-phone-api replay FILE [--json] does a flight recording again with simulated telephones; ends with
                                            0: the same happened, 1: something else, 65: FILE is none
       dahdi-phone-api token create --name=NAME --scope=read|control|admin [--lines=1,2] [--expires-days=DAYS]
       dahdi-phone-api token list
       dahdi-phone-api token revoke NAME    API tokens, of a running server too; with --config as above

  --simulate[=PORTS]      no card: simulated telephones, ${DEFAULT_SIMULATED_PORTS} unless told (1 to ${MAX_SIMULATED_PORTS})
  --config=FILE           configuration (default: /etc/dahdi_phone/config.yml, if it exists)
  --host=ADDRESS          listen here (default: 127.0.0.1)
  --rest-port=PORT        REST and Swagger UI (default: 8000; 0 takes any free port)
  --websocket-port=PORT   WebSocket (default: 8001)
  --announce              print {"rest_port":…,"websocket_port":…,"pid":…} on standard output when ready
  --version
  --help

Of the doctor, with --config, --simulate and the addresses as above; it ends with 1 where it finds an error:
  --json                  for programs
  --self-test=LINE        opens the line, measures for two seconds, closes it
  --ring                  the self-test also rings the telephone, once and shortly

Try it without hardware:
  dahdi-phone-api --simulate
  then open http://127.0.0.1:8000/docs
`;

export function parseCommandLine(argv: readonly string[]): CommandLine {
  if (argv[0] === "replay") return replayArguments(argv.slice(1));
  const common = {
    configPath: null as string | null,
    simulatePorts: null as number | null,
    host: null as string | null,
    restPort: null as number | null,
    websocketPort: null as number | null,
  };
  let announce = false;
  const doctor = { json: false, selfTest: null as number | null, ring: false };
  /** Options that one command alone has, as typed. */
  const special = new Map<"serve" | "doctor", string>();
  if (argv[0] === "token") return tokenArguments(argv.slice(1));
  const words = [...argv];
  let command: "serve" | "doctor" | null = null;
  let before = "";
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
      case "doctor":
        if (command !== null) throw new UsageError("one command stands once: serve or doctor");
        command = name;
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
        common.simulatePorts =
          given === null ? DEFAULT_SIMULATED_PORTS : wholeNumber(name, given, 1, MAX_SIMULATED_PORTS);
        break;
      case "--config":
        common.configPath = value();
        break;
      case "--host":
        common.host = value();
        break;
      case "--rest-port":
        common.restPort = wholeNumber(name, value(), 0, 65_535);
        break;
      case "--websocket-port":
        common.websocketPort = wholeNumber(name, value(), 0, 65_535);
        break;
      case "--announce":
        noValue();
        announce = true;
        special.set("serve", name);
        break;
      case "--json":
      case "--ring":
        noValue();
        doctor[name === "--json" ? "json" : "ring"] = true;
        special.set("doctor", name);
        break;
      case "--self-test":
        doctor.selfTest = wholeNumber(name, value(), 1, MAX_CHANNEL);
        special.set("doctor", name);
        break;
      default:
        throw new UsageError(`${word} is not known: ${meant(word, before)}see dahdi-phone-api --help`);
    }
    before = name;
  }
  command ??= "serve";
  const foreign = special.get(command === "serve" ? "doctor" : "serve");
  if (foreign) throw new UsageError(`${foreign} is none of ${command}'s options: see dahdi-phone-api --help`);
  if (doctor.ring && doctor.selfTest === null) throw new UsageError("--ring needs --self-test=LINE");
  if (command === "doctor") return { command, ...common, ...doctor };
  return { command, ...common, announce };
}

/** --port, --websocket and "--simulate 2" are what hands type. */
function meant(word: string, before: string): string {
  if (before === "--simulate" && /^\d+$/.test(word)) return `--simulate=${word} is one word; `;
  const [typed = ""] = /^--[a-z-]+/.exec(word) ?? [];
  const end = typed.split("-").at(-1) ?? "";
  const options = new Set([...HELP.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option));
  const near = [...options].filter(
    (option) =>
      end.length > 2 && (option.startsWith(typed) || option.endsWith(`-${end}`) || typed.startsWith(option)),
  );
  return near.length > 0 ? `perhaps ${near.join(" or ")}; ` : "";
}

function replayArguments(argv: readonly string[]): CommandLine {
  if (argv.includes("--help") || argv.includes("-h")) return { command: "help" };
  const files = argv.filter((word) => word !== "--json");
  const [path, more] = files;
  const unknown = files.find((word) => word.startsWith("-"));
  if (unknown !== undefined)
    throw new UsageError(`${unknown} is none of replay's options: see dahdi-phone-api --help`);
  if (path === undefined || path === "") throw new UsageError("replay needs a FILE: see dahdi-phone-api --help");
  if (more !== undefined) throw new UsageError(`replay takes one FILE, not ${more} as well`);
  return { command: "replay", path, json: argv.includes("--json") };
}

function tokenArguments(argv: readonly string[]): CommandLine {
  const [action, ...words] = argv;
  if (argv.includes("--help") || argv.includes("-h")) return { command: "help" };
  if (action !== "create" && action !== "list" && action !== "revoke") {
    throw new UsageError("token wants create, list or revoke: see dahdi-phone-api --help");
  }
  const known: readonly string[] = {
    create: ["--name", "--scope", "--lines", "--expires-days"],
    list: [],
    revoke: ["--name"],
  }[action];
  const given = new Map<string, string>();
  while (words.length > 0) {
    const word = words.shift() as string;
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    // revoke NAME: what stands alone is the name.
    const bare = !word.startsWith("-") && action === "revoke";
    const option = bare ? "--name" : equals < 0 ? word : word.slice(0, equals);
    if (option !== "--config" && !known.includes(option)) {
      throw new UsageError(`${option} is none of token ${action}'s options: see dahdi-phone-api --help`);
    }
    if (given.has(option)) throw new UsageError(`${option} stands twice`);
    const value = bare ? word : equals < 0 ? words.shift() : word.slice(equals + 1);
    if (value === undefined || value === "") throw new UsageError(`${option} needs a value, as in ${option}=…`);
    given.set(option, value);
  }
  const common = { command: "token", configPath: given.get("--config") ?? null } as const;
  if (action === "list") return { ...common, action };
  const name = given.get("--name");
  if (name === undefined)
    throw new UsageError(`token ${action} needs ${action === "create" ? "--name=" : ""}NAME`);
  if (!TOKEN_NAME.test(name)) throw new UsageError(`NAME ${TOKEN_NAME_RULE}`);
  if (action === "revoke") return { ...common, action, name };
  const scope = given.get("--scope") as Scope | undefined;
  if (scope === undefined || !SCOPES.includes(scope)) {
    throw new UsageError(`token create needs --scope=${SCOPES.join("|")}: what it may do`);
  }
  const lines =
    given
      .get("--lines")
      ?.split(",")
      .map((line) => wholeNumber("--lines", line, 1, MAX_CHANNEL)) ?? null;
  const days = given.get("--expires-days");
  const expiresInDays = days === undefined ? null : wholeNumber("--expires-days", days, 1, 3650);
  return { ...common, action, name, scope, lines, expiresInDays };
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= low && number <= high) return number;
  throw new UsageError(`${name} takes a whole number from ${low} to ${high}, not "${text}"`);
}

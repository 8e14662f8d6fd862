import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError } from "../../../src/config/fault";
import { loadConfig, maskedConfig, mayBeThere } from "../../../src/config/load";
import { stateDirectory } from "../../../src/config/state_dir";
import { tokenDigest } from "../../../src/security/token";
import { TokenFile } from "../../../src/security/token_file";
import { makeToken } from "../../../src/security/token_registry";

const folder = mkdtempSync(join(tmpdir(), "dahdi-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NOTHING = { host: null, restPort: null, websocketPort: null };

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

let files = 0;
function file(yaml: string): string {
  const path = join(folder, `config-${++files}.yml`);
  writeFileSync(path, yaml);
  return path;
}

const load = async (yaml: string, environment: Record<string, string> = {}) =>
  (await loadConfig(file(yaml), environment, NOTHING)).config;

async function wrong(yaml: string, environment: Record<string, string> = {}): Promise<string> {
  try {
    await load(yaml, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${folder}/config-${files}.yml`, "FILE");
    throw error;
  }
  return "loaded";
}

describe("the configuration", () => {
  test("has a default for everything, and the example shows them all", async () => {
    const { config, path } = await loadConfig(null, {}, NOTHING);
    expect(path).toBeNull();
    const example = await loadConfig(`${import.meta.dir}/../../../docs/config.example.yml`, {}, NOTHING);
    expect(example.config).toEqual(config);
    expect(config.server).toMatchObject({ host: "127.0.0.1", rest_port: 8000, websocket_port: 8001 });
  });

  test("environment outweighs the file, the command line both", async () => {
    const path = file("server:\n  rest_port: 9000\nlogging:\n  level: error\n");
    const { config } = await loadConfig(
      path,
      { LOG_LEVEL: "DEBUG", DAHDI_API_REST_PORT: "9001" },
      { ...NOTHING, restPort: 9002 },
    );
    expect(config.server.rest_port).toBe(9002);
    expect(config.logging.level).toBe("debug");
  });

  test("/dev/dahdi/channel001 means channel 1", async () => {
    const config = await load("dahdi:\n  device: /dev/dahdi/channel003\n");
    expect(config.dahdi).toMatchObject({ device: "/dev/dahdi/channel", channel: 3, channels: [3] });
    expect((await load("", { DAHDI_DEVICE: "/dev/dahdi/channel002" })).dahdi.channel).toBe(2);
  });

  test("a tone zone is a country, in any case, or as DAHDI calls it", async () => {
    expect((await load("")).tone_zone).toBe("us");
    expect((await load("tone_zone: DE\n")).tone_zone).toBe("de");
    expect((await load("tone_zone: uk\n")).tone_zone).toBe("gb");
    expect((await load("")).caller_id.scheme).toBe("auto");
    expect((await load("caller_id: { scheme: V23 }\n")).caller_id.scheme).toBe("v23");
    expect((await load("")).message_waiting.lamp).toBe("none");
  });

  test("a file in a folder that this user may not look into is not taken for missing", () => {
    const shut = mkdtempSync(join(tmpdir(), "dahdi-config-shut-"));
    chmodSync(shut, 0o700);
    const script = `
      const { mayBeThere, readSource } = require(${JSON.stringify(join(import.meta.dir, "../../../src/config/load.ts"))});
      if (mayBeThere(process.argv[1] + "/config.yml")) readSource(process.argv[1] + "/config.yml");`;
    const somebody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
    if (somebody.length === 0) chmodSync(shut, 0o000);
    const { exitCode, stderr } = Bun.spawnSync([...somebody, process.execPath, "-e", script, shut]);
    expect([exitCode, stderr.toString().includes("(EACCES): this user may not: try with sudo")]).toEqual([
      1,
      true,
    ]);
    expect(mayBeThere(join(shut, "none.yml"))).toBe(process.getuid?.() !== 0);
    rmSync(shut, { recursive: true });
  });

  test("an empty file, and a heading without keys, change nothing", async () => {
    const { config } = await loadConfig(null, {}, NOTHING);
    expect(await load("")).toEqual(config);
    expect(await load("server:\nlogging:\n")).toEqual(config);
  });

  test("a webhook is taken with its defaults, and shown without its secret and its query", async () => {
    const config = await load(
      `webhooks:\n  - url: https://a.org/b?key=k\n    secret: ${SECRET}\n  - url: http://10.0.0.1/\n    secret: ${SECRET}\n    allow_private: true\n`,
    );
    expect(config.webhooks[0]).toEqual({
      url: "https://a.org/b?key=k",
      secret: SECRET,
      types: null,
      lines: null,
      allow_private: false,
      park_after_hours: 24,
    });
    const shown = JSON.stringify(maskedConfig(config));
    expect(shown).toContain('"url":"https://a.org/***"');
    expect(shown).not.toContain(SECRET);
    expect(shown).not.toContain("key=k");
  });

  test("a hotline is taken with its defaults; what may be a secret of a bot's is not shown", async () => {
    const token = "0123456789abcdef";
    const config = await load(
      `stream: { twilio_auth_token: "${token}" }\nhotline:\n` +
        "  - { line: 1, url: 'ws://bot.local/x?key=k', custom_parameters: { key: k2 } }\n",
    );
    expect(config.hotline).toEqual([
      {
        line: 1,
        url: "ws://bot.local/x?key=k",
        dialect: null,
        custom_parameters: { key: "k2" },
        on_answer: true,
      },
    ]);
    expect(maskedConfig(config)).toMatchObject({
      stream: { twilio_auth_token: "***" },
      hotline: [{ url: "ws://bot.local/x?***", custom_parameters: { key: "***" } }],
    });
    expect(maskedConfig(await load(""))).toMatchObject({ stream: { twilio_auth_token: null }, hotline: [] });
  });

  test("the state folder: configured, systemd's, the user's", async () => {
    expect((await load("", { DAHDI_API_STATE_DIR: "/x" })).state_dir).toBe("/x");
    expect(stateDirectory("/x", { STATE_DIRECTORY: "/y" }, "/home/me")).toBe("/x");
    expect(stateDirectory(null, { STATE_DIRECTORY: "/y:/z", XDG_STATE_HOME: "/s" }, "/home/me")).toBe("/y");
    expect(stateDirectory(null, { XDG_STATE_HOME: "/s" }, "/home/me")).toBe("/s/dahdi-phone-api");
    expect(stateDirectory(null, { XDG_STATE_HOME: "s" }, "/home/me")).toBe(
      "/home/me/.local/state/dahdi-phone-api",
    );
    expect(stateDirectory(null, {}, "")).toBeNull();
  });

  test("is frozen, and shown without secrets", async () => {
    const config = await load("");
    expect(() => {
      (config.server as { host: string }).host = "x";
    }).toThrow();
    expect(maskedConfig(config)).toMatchObject({ security: { api_tokens: [] } });
  });
});

describe("a wrong configuration names file, line and key", () => {
  test.each([
    ["server:\n  host: 127.0.0.1\n  rest_prot: 1\n", "FILE:3: server.rest_prot: is not known here"],
    ["sever:\n  host: x\n", "FILE:1: sever: is not known here"],
    [
      'server:\n  rest_port: "8000"\n',
      "FILE:2: server.rest_port: must be a whole number from 0 to 65535, without quotes",
    ],
    [
      "server:\n  host:127.0.0.1\n",
      "FILE:1: server: must be a mapping of keys to values (a space follows each colon)",
    ],
    ["server:\n\trest_port: 1\n", "FILE:2: Tabs are not allowed as indentation: use spaces"],
    ["server: {}\nserver: {}\n", "FILE:2: this key stands twice"],
    ["server:\n  rest_port: 99999\n", "FILE:2: server.rest_port: must be a whole number from 0 to 65535"],
    ["server:\n  rest_port: eight\n", "FILE:2: server.rest_port: must be"],
    ["server: 5\n", "FILE:1: server: must be a mapping"],
    ["dahdi:\n  channels: [1, 1]\n", "FILE:2: dahdi.channels: must be a list"],
    [
      "dahdi:\n  channels: [2, 3]\n",
      "FILE:2: dahdi.channel: 1, the line of the verbs without /lines/{line}, must be one of dahdi.channels (2, 3): say channel: 2",
    ],
    ["dahdi:\n  audio:\n    sample_rate: 16000\n", "FILE:3: dahdi.audio.sample_rate: must be 8000"],
    [
      "logging:\n  levels:\n    rest: loud\n",
      "FILE:3: logging.levels.rest: must be one of debug, info, warning, error",
    ],
    ["server:\n  host: 0.0.0.0\n", "FILE:2: server.host: 0.0.0.0 is open to the network"],
    ["security:\n  api_tokens: [hunter2]\n", "FILE:2: security.api_tokens: the 1. must be a token of at least 16"],
    [
      "security:\n  api_tokens: [{name: a, token: hunter2hunter2hunter2}]\n",
      "FILE:2: security.api_tokens: the 1. must have a scope",
    ],
    [
      "security:\n  api_tokens: [hunter2hunter2hunter2, hunter2hunter2hunter2]\n",
      "FILE:2: security.api_tokens: the 2. stands twice",
    ],
    [
      "security:\n  allowed_origins: [example.org]\n",
      "FILE:2: security.allowed_origins: must be a list of origins",
    ],
    [
      "security:\n  allowed_origins: ['https://example.org/']\n",
      "FILE:2: security.allowed_origins: must be a list of origins",
    ],
    [
      "server:\n  allowed_hosts: ['https://example.org']\n",
      "FILE:2: server.allowed_hosts: must be a list of names",
    ],
    ["server:\n  tls: {key: /k.pem}\n", "FILE:2: server.tls: certificate and key go together"],
    [
      "server:\n  tls: {certificate: /c.pem, key: /k.pem, self_signed: true}\n",
      "FILE:2: server.tls.self_signed: there is a certificate already",
    ],
    [
      "api:\n  rate_limit: {requests: 5}\n",
      "FILE:2: api.rate_limit: must be auto, or {requests_per_second, burst}",
    ],
    ["api:\n  max_connections_per_address: -1\n", "FILE:2: api.max_connections_per_address: must be auto"],
    ["\ntone_zone: xx\n", "FILE:2: tone_zone: must be one of ae, al, ar, at, au, be, "],
    ["caller_id:\n  scheme: morse\n", "FILE:2: caller_id.scheme: must be one of auto, none, dtmf, bell202, "],
    ["message_waiting:\n  lamp: on\n", "FILE:2: message_waiting.lamp: must be one of none, line_reversal, "],
    ["dial_tone:\n  enabled: 1\n", "FILE:2: dial_tone.enabled: must be true or false"],
    ["off_hook_timeout:\n  seconds: -1\n", "FILE:2: off_hook_timeout.seconds: must be a whole number"],
    ["state_dir: here\n", "FILE:1: state_dir: must be a path that begins with /"],
    ["events:\n  max_bytes: 10\n", "FILE:2: events.max_bytes: must be a whole number from 1048576"],
    ["stream: { twilio_auth_token: short }\n", "FILE:1: stream.twilio_auth_token: must be a text of 16"],
    ["stream: { twilio_account_sid: AC1 }\n", "FILE:1: stream.twilio_account_sid: must be AC and 32"],
    ["hotline:\n  - url: ws://a.org/\n", "FILE:2: hotline[0].line: is missing"],
    ["hotline:\n  - line: 1\n    url: http://a.org/\n", "FILE:3: hotline[0].url: must be such as ws://"],
    [
      "hotline:\n  - line: 1\n    url: tcp://a.org:1\n    dialect: twilio\n",
      "FILE:4: hotline[0].dialect: must be audiosocket",
    ],
    [
      "hotline:\n  - line: 1\n    url: ws://a.org/\n    custom_parameters: { a: 1 }\n",
      "FILE:4: hotline[0].custom_parameters: must be a mapping of names to texts",
    ],
    [
      "hotline:\n  - { line: 1, url: 'ws://a.org/' }\n  - { line: 1, url: 'ws://b.org/' }\n",
      "FILE:3: hotline[1].line: stands twice",
    ],
    ["webhooks: 5\n", "FILE:1: webhooks: must be a list"],
    ["webhooks:\n  - 5\n", "FILE:2: webhooks[0]: must be a mapping"],
    [`webhooks:\n  - secret: ${SECRET}\n`, "FILE:2: webhooks[0].url: is missing"],
    [
      `webhooks:\n  - url: https://a.org/\n    secret: ${SECRET}\n    x: 1\n`,
      "FILE:4: webhooks[0].x: is not known",
    ],
    [
      "webhooks:\n  - url: https://a.org/\n    secret: whsec_hunter2\n",
      "FILE:3: webhooks[0].secret: must be whsec_",
    ],
    [
      `webhooks:\n  - url: ftp://a.org/\n    secret: ${SECRET}\n`,
      "FILE:2: webhooks[0].url: must be a URL that begins with https",
    ],
    [
      `webhooks:\n  - url: https://me:hunter2@a.org/\n    secret: ${SECRET}\n`,
      "FILE:2: webhooks[0].url: must have no user",
    ],
    [
      "logging: { output: stdwhat }\n",
      "FILE:1: logging.output: must be stderr, stdout, or a file's path that begins with /",
    ],
    [
      'logging: { output: "/var/log/a\\0b" }\n',
      "FILE:1: logging.output: must be stderr, stdout, or a file's path",
    ],
    ["state_dir: here\n", "FILE:1: state_dir: must be a path"],
    [
      `webhooks:\n  - url: https://a.org/\n    secret: ${SECRET}\n    types: [bark]\n`,
      "FILE:4: webhooks[0].types: must be a list of off_hook, on_hook",
    ],
    [
      `webhooks:\n  - secret: ${SECRET}\n    url: http://192.168.1.5/\n`,
      "FILE:3: webhooks[0].url: is a private address: set allow_private: true",
    ],
    [
      `webhooks:\n  - url: http://[::1]:80/\n    secret: ${SECRET}\n`,
      "FILE:2: webhooks[0].url: is a private address",
    ],
    [
      `webhooks:\n  - {url: "https://a.org/", secret: ${SECRET}}\n  - {url: "https://a.org", secret: ${SECRET}}\n`,
      "FILE:3: webhooks[1].url: stands twice",
    ],
    ["server: [\n", "FILE:"],
    ["server:\n  host: a\n  host: b\n", "FILE:3:"],
  ])("%j", async (yaml, expected) => {
    const message = await wrong(yaml);
    expect(message.startsWith(expected)).toBe(true);
    expect(message).not.toContain("\n");
    expect(message).not.toContain("hunter2");
  });

  test("all of it is named at once, and nothing that only follows from it", async () => {
    const yaml = [
      "server:",
      "  host: 0.0.0.0",
      "  rest_prot: 1",
      "  tls: { certificate: c.pem, key: /k.pem }",
      "dahdi:",
      "  channels: [2, 2]",
      "security: { api_tokens: [short, also] }",
      "webhooks:",
      "  - url: ftp://a.org/",
      "  - 5",
      `  - { url: "https://a.org/", secret: ${SECRET} }`,
      `  - { url: "https://a.org/", secret: ${SECRET} }`,
      "websocket: { ping_interval: 30, ping_timeout: 20 }",
    ].join("\n");
    const lines = (await wrong(yaml, { LOG_LEVEL: "loud" })).split("\n");
    expect(lines.map((line) => line.split(/:? must| \(known/)[0])).toEqual([
      "FILE:3: server.rest_prot: is not known here",
      "FILE:4: server.tls.certificate",
      "FILE:6: dahdi.channels",
      "FILE:7: security.api_tokens: the 1.",
      "FILE:9: webhooks[0].url",
      'FILE:9: webhooks[0].secret: is missing: echo "whsec_$(openssl rand -base64 24)"',
      "FILE:10: webhooks[1]",
      "FILE:12: webhooks[3].url: stands twice: one webhook has one place in the log",
      "environment: LOG_LEVEL",
      "FILE:13: websocket.ping_timeout",
    ]);
    expect(lines[3]).toContain("; the 2. must be a token");
  });

  test("of a hundred mistakes twenty are told, and how many more there are", async () => {
    const lines = (await wrong(Array.from({ length: 100 }, (_, i) => `k${i}: 1\n`).join(""))).split("\n");
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe("and 80 more");
    expect(lines[19]).toStartWith("FILE:20: k19: is not known here");
  });

  test("a key that stands twice hides nothing; YAML that is broken is said, and nothing guessed", async () => {
    const twice = (await wrong("server:\n  host: a\n  host: b\nnonsense: 1\n")).split("\n");
    expect(twice.map((line) => line.slice(0, 7))).toEqual(["FILE:3:", "FILE:4:"]);
    const broken = await wrong("server: [\nnonsense: 1\n");
    expect(broken).not.toContain("nonsense");
  });

  test("the environment is named too", async () => {
    expect(await wrong("", { DAHDI_API_REST_PORT: "x" })).toBe(
      'environment: DAHDI_API_REST_PORT: must be a whole number from 0 to 65535, not "x"',
    );
  });

  test("a file asked for by name must be there", async () => {
    expect(loadConfig(join(folder, "none.yml"), {}, NOTHING)).rejects.toThrow("none.yml: cannot be read (ENOENT)");
  });

  test("tokens are kept as hashes, and shown without", async () => {
    const config = await load(
      `security:\n  api_tokens: [a-plain-token-of-old, {name: tv, scope: read, lines: [1], token_sha256: ${"AB".repeat(32)}}]\n`,
    );
    const common = { created_at: null, expires_at: null };
    expect(config.security.api_tokens).toEqual([
      { ...common, name: "config-1", scope: "admin", lines: null, sha256: tokenDigest("a-plain-token-of-old") },
      { ...common, name: "tv", scope: "read", lines: [1], sha256: "ab".repeat(32) },
    ]);
    expect(JSON.stringify(maskedConfig(config))).not.toMatch(/a-plain-token|abab|sha256/);
  });

  test("a rate is a number, or a rate with a burst, or none", async () => {
    const rate = async (text: string) => (await load(`api: { rate_limit: ${text} }\n`)).api.rate_limit;
    expect(await rate("auto")).toBe("auto");
    expect(await rate("50")).toEqual({ requests_per_second: 50, burst: 100 });
    expect(await rate("0")).toEqual({ requests_per_second: 0, burst: 1 });
    expect(await rate("{requests_per_second: 5, burst: 7}")).toEqual({ requests_per_second: 5, burst: 7 });
  });

  test("an address open to the network is fine with a token, of the file or of the state folder", async () => {
    const open = "server:\n  host: 0.0.0.0\n";
    expect((await load(`${open}security: { api_tokens: [a-plain-token-of-old] }\n`)).server.host).toBe("0.0.0.0");
    const state = mkdtempSync(join(folder, "state-"));
    const environment = { DAHDI_API_STATE_DIR: state };
    expect(await wrong(open, environment)).toContain("token create");
    makeToken(new TokenFile(state), { name: "a", scope: "read", lines: null, expiresAtMs: null }, 0);
    expect((await load(open, environment)).server.host).toBe("0.0.0.0");
  });

  test("an address open to the network wants to be allowed", async () => {
    expect((await load("server:\n  host: 0.0.0.0\nsecurity:\n  allow_unauthenticated: true\n")).server.host).toBe(
      "0.0.0.0",
    );
  });
});

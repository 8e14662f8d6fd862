/**
 * One server that knows every kind of secret, and everything that it says, writes or keeps: no secret is in it but where
 * it is meant to be.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EventListener, request } from "../support/client";
import { type ConfiguredServer, startConfigured, tokenCommand } from "../support/configured";
import { unzipped } from "../support/unzipped";

const HOOK = Buffer.from("a very secret webhook key!!").toString("base64");
const SECRETS: Record<string, string> = {
  "a configured token": "configured-hunter2-token",
  "a webhook's secret": HOOK,
  "a webhook's path": "hook-path-hunter2",
  "a webhook's query": "hook-query-hunter2",
  "a hotline's query": "hotline-query-hunter2",
  "a hotline's parameter": "hotline-parameter-hunter2",
  "Twilio's token": "twilio-hunter2-twilio-hunter2",
  "a wrong token": "dpa_wrong-hunter2-wrong-hunter2",
  "a token in a query": "dpa_query-hunter2-query-hunter2",
  "a sound's query": "sound-query-hunter2",
  "a bot's query": "bot-query-hunter2",
  "a patch's secret": `whsec_${Buffer.from("patched-hunter2-patched-hunter2").toString("base64")}`,
};

let server: ConfiguredServer;
let boss: string;
beforeAll(async () => {
  server = await startConfigured(
    `logging: { level: debug, output: stderr }
server: { tls: { self_signed: true } }
webhooks:
  - { url: "http://127.0.0.1:9/api/webhook/${SECRETS["a webhook's path"]}?key=${SECRETS["a webhook's query"]}", secret: whsec_${HOOK}, allow_private: true }
stream: { twilio_auth_token: ${SECRETS["Twilio's token"]} }
hotline:
  - line: 2
    url: ws://127.0.0.1:9/?key=${SECRETS["a hotline's query"]}
    custom_parameters: { key: ${SECRETS["a hotline's parameter"]} }
security: { api_tokens: [${SECRETS["a configured token"]}] }
`,
    2,
  );
  const { rest } = server;
  server.rest = rest.replace("http:", "https:");
  server.websocket = server.websocket.replace("ws:", "wss:");
  boss = (await tokenCommand(server.folder, "create", "--name=boss", "--scope=admin")).out;
  SECRETS["a stored token"] = boss;
}, 120_000);
afterAll(() => server.stop());

const tls = { rejectUnauthorized: false };
const ask = (method: string, path: string, body?: unknown, token = boss) =>
  request(server.rest + path, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    tls,
  } as RequestInit);

test("no secret is told, logged, bundled or written where it does not belong", async () => {
  const said: Record<string, string> = {};
  const keep = async (what: string, answer: Promise<{ body: unknown }>): Promise<void> => {
    said[what] = JSON.stringify((await answer).body);
  };
  // Everything that touches one.
  await keep("wrong token", ask("GET", "/status", undefined, SECRETS["a wrong token"]));
  await keep("token in a query", ask("GET", `/status?token=${SECRETS["a token in a query"]}`));
  const refused = EventListener.open(`${server.websocket}?token=${SECRETS["a token in a query"]}`);
  await expect(refused).rejects.toThrow();
  await ask("POST", "/simulator/lines/1/lift");
  await ask("POST", "/simulator/lines/2/lift");
  await keep(
    "sound",
    ask("POST", "/play-audio", { url: `http://127.0.0.1:9/?key=${SECRETS["a sound's query"]}` }),
  );
  await keep("bot", ask("POST", "/stream", { url: `ws://127.0.0.1:9/?key=${SECRETS["a bot's query"]}` }));
  const hook = { url: "https://10.0.0.1/", secret: SECRETS["a patch's secret"] };
  await keep("wrong patch", ask("PATCH", "/config", { webhooks: [hook] }));
  await keep("wrong kind of patch", ask("PATCH", "/config", { security: { api_tokens: ["short", hook.secret] } }));
  for (const path of [
    "/config",
    "/tokens",
    "/webhooks",
    "/diagnostics",
    "/events?limit=1000",
    "/ready",
    "/streams",
    "/lines",
  ]) {
    await keep(path, ask("GET", path));
  }
  for (const path of ["/metrics", "/diagnostics/flight-recorder"]) {
    const answer = await fetch(server.rest + path, {
      headers: { authorization: `Bearer ${boss}` },
      tls,
    } as RequestInit);
    said[path] = await answer.text();
  }
  const bundle = await fetch(`${server.rest}/diagnostics/bundle`, {
    headers: { authorization: `Bearer ${boss}` },
    tls,
  } as RequestInit);
  const zip = join(server.folder, "bundle.zip");
  writeFileSync(zip, new Uint8Array(await bundle.arrayBuffer()));
  for (const [name, text] of Object.entries(await unzipped(zip))) said[`bundle's ${name}`] = text;
  const key = readFileSync(join(server.folder, "tls-key.pem"), "utf8");
  SECRETS["the TLS key"] = key.split("\n")[1] ?? "";
  said["command line's token list"] = JSON.stringify(await tokenCommand(server.folder, "list"));
  // What it has written is there once the log says that it is.
  await ask("GET", "/events?limit=1");
  for (const name of readdirSync(server.folder, { recursive: true }) as string[]) {
    const path = join(server.folder, name);
    // The configuration is where secrets are said, the key is kept in its file, and a zip was opened above.
    if (statSync(path).isDirectory() || /^(config\.yml|tls-key\.pem|bundle\.zip)$/.test(name)) continue;
    said[`file ${name}`] = readFileSync(path, "latin1");
  }
  said["the log"] = await server.log();
  for (const part of ["config.json", "events.jsonl", "log.jsonl", "doctor.json"]) {
    expect(Object.keys(said)).toContain(`bundle's ${part}`);
  }
  expect(said["the log"]).toContain('"component":"audit"');
  expect(said["/config"]).toContain("?***");

  const found = Object.entries(said).flatMap(([where, text]) =>
    Object.entries(SECRETS)
      .filter(([, secret]) => text.includes(secret))
      .map(([what]) => `${what} in ${where}`),
  );
  expect(found).toEqual([]);
  for (const name of ["tls-key.pem", "tokens.json", "events.db"]) {
    expect([name, statSync(join(server.folder, name)).mode & 0o077]).toEqual([name, 0]);
  }
}, 60_000);

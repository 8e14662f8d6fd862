/** Watching a running server: its metrics, the ids of its requests, and its bundle for a bug report. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventListener, get, type Json, request, simulatedTelephone } from "../support/client";
import { needs } from "../support/needs";
import { eventually, type RunningServer, startServer } from "../support/server";
import { unzipped } from "../support/unzipped";

const folder = mkdtempSync(join(tmpdir(), "dahdi-watching-"));
const SECRET_BYTES = Buffer.from("a very secret webhook key!!");
const SECRET = `whsec_${SECRET_BYTES.toString("base64")}`;
let server: RunningServer;
beforeAll(async () => {
  const config = join(folder, "config.yml");
  writeFileSync(
    config,
    `logging: { level: debug }\nwebhooks:\n  - url: http://127.0.0.1:9/?key=hidden\n    secret: ${SECRET}\n    allow_private: true\n`,
  );
  server = await startServer({ arguments: ["--simulate=2", `--config=${config}`] });
}, 120_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const PYTHON = "/usr/bin/python3";
const withParser = needs(
  Bun.spawnSync([PYTHON, "-c", "import prometheus_client"]).success,
  "sudo apt-get install python3-prometheus-client",
);

/** As Prometheus' own parser reads it: name{labels} → value, and what is wrong with it. */
async function parsed(text: string): Promise<Map<string, number>> {
  const script = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
out = {}
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    assert family.type != "unknown", family.name
    for sample in family.samples:
        labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
        key = sample.name + "{" + labels + "}"
        assert key not in out, key
        out[key] = sample.value
print(json.dumps(out))`;
  const child = Bun.spawn([PYTHON, "-c", script], { stdin: new Blob([text]), stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(err);
  return new Map(Object.entries(JSON.parse(out) as Record<string, number>));
}

const scrape = async (): Promise<string> => (await fetch(`${server.rest}/metrics`)).text();

describe("GET /metrics", () => {
  withParser("counts what a telephone does", async () => {
    const before = await parsed(await scrape());
    expect(before.get("dahdi_phone_line_state{line=2,state=IDLE}")).toBe(1);
    const telephone = simulatedTelephone(server, 2);
    using events = await EventListener.open(`${server.websocket}?line=2`);
    await telephone.lift();
    await telephone.press("12");
    await events.event("dtmf", { digit: "2" });
    await get(`${server.rest}/lines/2/status`);
    await get(`${server.rest}/lines/9/status`);
    const after = await parsed(await scrape());
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(after.get("dahdi_phone_line_state{line=2,state=OFF_HOOK}")).toBe(1);
    expect(after.get("dahdi_phone_line_state{line=2,state=IDLE}")).toBe(0);
    expect(grown("dahdi_phone_digits_total{line=2}")).toBe(2);
    expect(grown("dahdi_phone_digits_total{line=1}")).toBe(0);
    expect(grown("dahdi_phone_events_total{type=dtmf}")).toBe(2);
    expect(grown("dahdi_phone_event_latency_seconds_count{}")).toBeGreaterThanOrEqual(3);
    expect(after.get("dahdi_phone_websocket_clients{}")).toBe(1);
    const route = "method=GET,route=/lines/{line}/status";
    expect(grown(`http_request_duration_seconds_count{code=200,${route}}`)).toBe(1);
    expect(grown(`http_request_duration_seconds_count{code=404,${route}}`)).toBe(1);
    expect(after.get("process_resident_memory_bytes{}")).toBeGreaterThan(10e6);
    await telephone.hangUp();
    await events.event("on_hook");
    expect((await parsed(await scrape())).get("dahdi_phone_calls_total{line=2,result=successful}")).toBe(1);
  });

  withParser("counts what was refused before any route, whatever path it named", async () => {
    const counts = async () => {
      const all = [...(await parsed(await scrape()))];
      const name = "http_request_duration_seconds_count";
      return new Map(
        all.filter(([key]) => key.startsWith(name)).map(([key, value]) => [key.slice(name.length), value]),
      );
    };
    const before = await counts();
    for (const path of ["status", "a", "b", "c"]) {
      const foreign = await request(`${server.rest}/${path}`, { headers: { host: "evil.example" } });
      expect(foreign).toMatchObject({ status: 403, body: { code: "host_not_allowed" } });
    }
    const origin = "https://evil.example";
    expect((await request(`${server.rest}/ring`, { method: "POST", headers: { origin } })).status).toBe(403);
    expect(
      (await request(`${server.rest}/ring`, { method: "PROPFIND", headers: { host: "evil.example" } })).status,
    ).toBe(403);
    const { rejects } = expect(EventListener.open(`${server.websocket}?since=nothing`));
    await rejects.toThrow();
    const after = await counts();
    const grown = [...after].filter(([key, value]) => value !== (before.get(key) ?? 0));
    expect(Object.fromEntries(grown.map(([key, value]) => [key, value - (before.get(key) ?? 0)]))).toMatchObject({
      "{code=403,method=GET,route=(none)}": 4,
      "{code=403,method=POST,route=(none)}": 1,
      "{code=403,method=other,route=(none)}": 1,
      "{code=422,method=GET,route=/ws}": 1,
    });
    expect([...after.keys()].filter((key) => key.includes("route=(none)"))).toHaveLength(3);
  });

  test("has all that the dashboard shows", async () => {
    await get(`${server.rest}/status`);
    const text = await scrape();
    const dashboard = JSON.parse(readFileSync("docs/grafana-dashboard.json", "utf8")) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    expect(dashboard.panels.length).toBeGreaterThan(10);
    for (const { targets } of dashboard.panels) {
      for (const { expr } of targets) {
        const [name = ""] = /(?:dahdi_phone|process|http)_\w+/.exec(expr) ?? [];
        const family = name.replace(/_(bucket|count)$/, "");
        expect(`${expr}: ${text.includes(`# TYPE ${name} `) || text.includes(`# TYPE ${family} histogram`)}`).toBe(
          `${expr}: true`,
        );
      }
    }
  });
});

describe("a request's id", () => {
  test("is told in the answer, is new each time, or the client's own", async () => {
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await get(`${server.rest}/status`)).headers.get("x-request-id"));
    expect(new Set(ids).size).toBe(3);
    const named = await fetch(`${server.rest}/ring`, {
      method: "POST",
      body: '{"pattern":"NONE"}',
      headers: { "content-type": "application/json", "x-request-id": "from-the-proxy.1" },
    });
    expect([named.status, named.headers.get("x-request-id")]).toEqual([422, "from-the-proxy.1"]);
    const forged = await fetch(`${server.rest}/status`, { headers: { "x-request-id": 'a" level="error' } });
    expect(forged.headers.get("x-request-id")).not.toContain("level");
  });
});

describe("GET /diagnostics/bundle", () => {
  test("holds what a bug report needs, and nothing that is nobody's business", async () => {
    const telephone = simulatedTelephone(server, 1);
    using events = await EventListener.open(`${server.websocket}?line=1`);
    await telephone.lift();
    await telephone.press("4711");
    await eventsOf(events, 4);
    await telephone.pulse("8");
    await eventsOf(events, 5);
    const asked = { pattern: "90210", timeout_ms: 200 };
    await request(`${server.rest}/gather`, { method: "POST", body: JSON.stringify(asked) });
    const bot = { url: "ws://127.0.0.1:9/bots/path-hunter2" };
    await request(`${server.rest}/stream`, { method: "POST", body: JSON.stringify(bot) });
    await events.event("stream_stopped");
    await telephone.hangUp();
    const response = await fetch(`${server.rest}/diagnostics/bundle`);
    expect(response.headers.get("content-type")).toBe("application/zip");
    const path = join(folder, "bundle.zip");
    writeFileSync(path, new Uint8Array(await response.arrayBuffer()));
    const files = await unzipped(path);
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        "README.txt",
        "about.json",
        "config.json",
        "lines.json",
        "doctor.json",
        "events.jsonl",
        "log.jsonl",
        "metrics.txt",
        "machine/proc/version",
      ]),
    );
    const frames = (files["events.jsonl"] ?? "")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Json);
    expect(frames.filter(({ type, line }) => type === "dtmf" && line === 1).map(({ digit }) => digit)).toEqual([
      "x",
      "x",
      "x",
      "x",
      "x",
    ]);
    // How long a dial turned tells its digit.
    expect(frames.find(({ source }) => source === "pulse")).toMatchObject({ digit: "x", duration: 0 });
    expect(files["events.jsonl"]).not.toContain("pulses_per_second");
    expect(files["flight.jsonl"]).toContain('"pattern":"XXXXX"');
    // A debug log holds whole frames, as texts within JSON.
    expect(files["log.jsonl"]).toContain('\\"digit\\":\\"x\\"');
    expect(files["log.jsonl"]).not.toMatch(/pulses_per_second|digit\\":\\"[0-9]/);
    expect(files["log.jsonl"]).toContain("ws://127.0.0.1:9/***");
    const lines = JSON.parse(files["lines.json"] ?? "") as Json[];
    expect(lines).toHaveLength(2);
    expect(lines[0]).not.toHaveProperty("dtmf_history");
    expect((JSON.parse(files["doctor.json"] ?? "") as Json).findings).toBeArray();
    expect(JSON.parse(files["about.json"] ?? "")).toMatchObject({ version: expect.any(String) });
    const all = Object.values(files).join("\n");
    for (const secret of [SECRET, SECRET.slice(6), "key=hidden", "path-hunter2", "90210"])
      expect(all).not.toContain(secret);
  });
});

async function eventsOf(events: EventListener, digits: number): Promise<void> {
  await eventually(
    () => events.types().filter((type) => type === "dtmf").length,
    (told) => told >= digits,
  );
}

/** By Python's zipfile, so that somebody else's reader has seen it. */

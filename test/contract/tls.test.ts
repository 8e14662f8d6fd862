/** TLS on both ports, with clients that we did not write. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fingerprint, selfSigned } from "../../src/security/certificate";
import { type ConfiguredServer, startConfigured } from "../support/configured";
import { needs } from "../support/needs";
import { eventually, startServer } from "../support/server";

const PYTHON = "/usr/bin/python3";
const curlTest = needs(Bun.which("curl") !== null, "sudo apt-get install curl");
const opensslTest = needs(Bun.which("openssl") !== null, "sudo apt-get install openssl");
const pythonTest = needs(
  Bun.spawnSync([PYTHON, "-c", "import websockets"]).exitCode === 0,
  "sudo apt-get install python3-websockets",
);

async function run(...command: string[]): Promise<{ out: string; code: number }> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out: out + err, code };
}

let server: ConfiguredServer;
let certificate: string;
const port = (url: string): string => new URL(url).port;
beforeAll(async () => {
  server = await startConfigured("server: { tls: { self_signed: true } }\n");
  certificate = join(server.folder, "tls-certificate.pem");
});
afterAll(() => server.stop());

describe("a certificate of our own", () => {
  curlTest(
    "is that of a machine whose name has two letters, or one, on the port that URLs leave out",
    async () => {
      for (const host of ["pi", "a", "pi:443", "pip"]) {
        const { out } = await run(
          "curl",
          "-sSk",
          "--noproxy",
          "*",
          "-H",
          `Host: ${host}`,
          `https://127.0.0.1:${port(server.rest)}/events?limit=x`,
        );
        expect(`${host} ${out}`).toContain('"field":"limit"');
      }
    },
  );

  curlTest("is what curl verifies, by name and by address, on both ports", async () => {
    for (const url of [server.rest, server.websocket]) {
      for (const host of ["localhost", "127.0.0.1"]) {
        const { out, code } = await run(
          "curl",
          "-sS",
          "--noproxy",
          "*",
          "--cacert",
          certificate,
          `https://${host}:${port(url)}/events?limit=x`,
        );
        expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('"field":"limit"') });
      }
    }
    const posted = await run(
      "curl",
      "-sS",
      "--noproxy",
      "*",
      "--cacert",
      certificate,
      "-d",
      "{}",
      `https://localhost:${port(server.rest)}/stop-ring`,
    );
    expect(JSON.parse(posted.out)).toMatchObject({ status: "success" });
    expect(
      (await run("curl", "-sS", "--noproxy", "*", `https://localhost:${port(server.rest)}/status`)).out,
    ).toContain("self-signed certificate");
    expect(
      (await run("curl", "-sS", "--noproxy", "*", `http://localhost:${port(server.rest)}/status`)).code,
    ).not.toBe(0);
    const { out } = await run(
      "curl",
      "-sS",
      "--noproxy",
      "*",
      "--cacert",
      certificate,
      `https://localhost:${port(server.rest)}/nothing`,
    );
    expect(JSON.parse(out)).toMatchObject({ code: "unknown_path" });
  });

  pythonTest("is what Python's WebSocket verifies", async () => {
    const script =
      "import asyncio, ssl, sys, websockets\n" +
      "async def go():\n" +
      "  context = ssl.create_default_context(cafile=sys.argv[2])\n" +
      "  context.verify_flags |= ssl.VERIFY_X509_STRICT\n" +
      "  async with websockets.connect(sys.argv[1], ssl=context) as socket: print(await socket.recv())\n" +
      "asyncio.run(go())\n";
    for (const url of [server.rest, server.websocket]) {
      const { out } = await run(PYTHON, "-c", script, `wss://localhost:${port(url)}/ws?snapshot=1`, certificate);
      expect(JSON.parse(out)).toMatchObject({ type: "snapshot" });
    }
  });

  opensslTest("has the fingerprint that was told, and nothing older than TLS 1.2", async () => {
    const shown = await run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256");
    const fingerprint = /=([0-9A-F:]{95})/.exec(shown.out)?.[1] ?? "none";
    await eventually(server.log, (log) => log.includes(fingerprint));
    expect((await run("openssl", "verify", "-x509_strict", "-CAfile", certificate, certificate)).code).toBe(0);
    const old = await run(
      "openssl",
      "s_client",
      "-connect",
      `127.0.0.1:${port(server.rest)}`,
      "-tls1_1",
      "-cipher",
      "DEFAULT@SECLEVEL=0",
    );
    expect(old.code).not.toBe(0);
  });

  test("is kept for the next start, its key for nobody else", async () => {
    const before = readFileSync(certificate, "utf8");
    expect(statSync(join(server.folder, "tls-key.pem")).mode & 0o777).toBe(0o600);
    const again = await startServer({
      arguments: ["--simulate=1", `--config=${server.configPath}`],
      stateDir: server.folder,
    });
    await again.stop();
    expect(readFileSync(certificate, "utf8")).toBe(before);
  });
});

describe("a certificate of the configuration", () => {
  curlTest("is served; a wrong one stops the start with its file", async () => {
    const made = selfSigned(["localhost"], new Date("2020-01-01"), new Date("2040-01-01"));
    const folder = join(server.folder, "given");
    mkdirSync(folder);
    writeFileSync(join(folder, "c.pem"), made.certificatePem);
    writeFileSync(join(folder, "k.pem"), made.keyPem);
    await using given = await startConfigured(
      `server: { tls: { certificate: ${folder}/c.pem, key: ${folder}/k.pem } }\n`,
    );
    const { code } = await run(
      "curl",
      "-sS",
      "--noproxy",
      "*",
      "--cacert",
      `${folder}/c.pem`,
      `https://localhost:${port(given.rest)}/status`,
    );
    expect(code).toBe(0);
    const wrong = (certificatePath: string, keyPath: string) =>
      startConfigured(`server: { tls: { certificate: ${certificatePath}, key: ${keyPath} } }\n`);
    await expect(wrong(`${folder}/c.pem`, `${server.folder}/tls-key.pem`)).rejects.toThrow(
      /tls-key.pem: is not the key of/,
    );
    await expect(wrong(`${folder}/none.pem`, `${folder}/k.pem`)).rejects.toThrow(/none.pem: is not there/);
  });
});

/** SHA-256 of what a new connection is shown. */
function shownBy(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port: Number(port(url)), rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  });
  socket.on("error", reject);
  return promise;
}

const unchecked = { tls: { rejectUnauthorized: false } };

describe("a certificate that is replaced", () => {
  const folder = mkdtempSync(join(tmpdir(), "dahdi-given-"));
  const [certificatePath, keyPath] = [join(folder, "c.pem"), join(folder, "k.pem")];
  afterAll(() => rmSync(folder, { recursive: true }));
  const put = (until: string): string => {
    const made = selfSigned(["localhost"], new Date("2020-01-01"), new Date(until));
    writeFileSync(keyPath, made.keyPem);
    writeFileSync(certificatePath, made.certificatePem);
    return fingerprint(made.certificatePem);
  };

  test("is taken by SIGHUP, on both ports; who is connected notices nothing; a broken one changes nothing", async () => {
    const first = put("2040-01-01");
    await using given = await startConfigured(
      `server: { tls: { certificate: ${certificatePath}, key: ${keyPath} } }\n`,
    );
    const urls = [given.rest, given.websocket];
    const rest = `https://127.0.0.1:${port(given.rest)}`;
    expect(await Promise.all(urls.map(shownBy))).toEqual([first, first]);

    // Three who stay: a WebSocket, an event stream, and one who waits for a long answer.
    const heard: string[] = [];
    const socket = new WebSocket(`wss://127.0.0.1:${port(given.websocket)}/ws`, unchecked as never);
    socket.onmessage = ({ data }) => void heard.push(String(data));
    await new Promise((opened) => socket.addEventListener("open", opened));
    const stream = await fetch(`${rest}/events/stream`, unchecked);
    let streamed = "";
    const reading = (async () => {
      for await (const piece of stream.body ?? []) streamed += new TextDecoder().decode(piece);
    })().catch(() => undefined);
    await fetch(`${rest}/simulator/lines/1/lift`, { method: "POST", ...unchecked });
    const waiting = fetch(`${rest}/play-audio?wait=true`, {
      method: "POST",
      body: new Uint8Array(new Int16Array(8000 * 3).buffer),
      ...unchecked,
    });
    await eventually(
      () => heard.some((event) => event.includes("playback_started")),
      (so) => so,
    );

    const second = put("2041-01-01");
    process.kill(given.pid, "SIGHUP");
    await eventually(
      () => Promise.all(urls.map((url) => shownBy(url).catch(() => "none"))),
      (shown) => shown.every((one) => one === second),
    );
    await eventually(given.log, (log) => log.includes(second));
    const answer = await waiting;
    expect([answer.status, ((await answer.json()) as { duration_ms: number }).duration_ms]).toEqual([200, 3000]);
    await fetch(`${rest}/simulator/lines/2/lift`, { method: "POST", ...unchecked });
    const lifted = (text: string): boolean => /"line":2/.test(text) && /off_hook/.test(text);
    await eventually(
      () => [heard.some(lifted), lifted(streamed), socket.readyState],
      (all) => all[0] === true && all[1] === true,
    );
    expect(socket.readyState).toBe(WebSocket.OPEN);

    writeFileSync(certificatePath, "-----BEGIN CERTIFICATE-----\nhalf");
    process.kill(given.pid, "SIGHUP");
    await eventually(given.log, (log) => log.includes("c.pem: is no certificate"));
    expect(await Promise.all(urls.map(shownBy))).toEqual([second, second]);
    const third = put("2042-01-01");
    process.kill(given.pid, "SIGHUP");
    await eventually(
      () => Promise.all(urls.map((url) => shownBy(url).catch(() => "none"))),
      (shown) => shown.every((one) => one === third),
    );

    // Who came under the first certificate is told that the server goes, as anybody.
    const { promise: gone, resolve } = Promise.withResolvers<number>();
    socket.addEventListener("close", ({ code }) => resolve(code));
    expect(await given.stop()).toBe(0);
    expect(await gone).toBe(1001);
    await reading;
  });

  test("of our own: one made before the clock was set is mended at the start, one removed by SIGHUP", async () => {
    const stillborn = selfSigned(["localhost"], new Date("2020-01-01"), new Date("1990-01-01"));
    const state = mkdtempSync(join(folder, "state-"));
    writeFileSync(join(state, "tls-certificate.pem"), stillborn.certificatePem);
    writeFileSync(join(state, "tls-key.pem"), stillborn.keyPem, { mode: 0o600 });
    writeFileSync(join(state, "config.yml"), "server: { tls: { self_signed: true } }\n");
    await using own = await startServer({
      arguments: ["--simulate=1", `--config=${join(state, "config.yml")}`],
      stateDir: state,
    });
    const kept = () => readFileSync(join(state, "tls-certificate.pem"), "utf8");
    const mended = fingerprint(kept());
    expect(mended).not.toBe(fingerprint(stillborn.certificatePem));
    expect(await shownBy(own.rest)).toBe(mended);
    expect(readFileSync(join(state, "tls-key.pem"), "utf8")).toBe(stillborn.keyPem);

    rmSync(join(state, "tls-certificate.pem"));
    process.kill(own.pid, "SIGHUP");
    const shown = await eventually(
      () => shownBy(own.rest).catch(() => mended),
      (one) => one !== mended,
    );
    expect(shown).toBe(fingerprint(kept()));
  });
});

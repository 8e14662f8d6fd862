/** Swagger UI in a real browser: it asks nobody else, and what it offers works when pressed. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Locator } from "playwright-core";
import { encodeWav } from "../../src/audio/wav";
import { startConfigured } from "../support/configured";
import { needs } from "../support/needs";
import { ROOT, type RunningServer, startServer } from "../support/server";

/** A browser beside other work: an operation takes two to six seconds. */
setDefaultTimeout(300_000);

const EXECUTABLE = join(ROOT, "dist/dahdi-phone-api-linux-x64");
const CHROMIUM = "/usr/bin/chromium";
const browserTest = needs(existsSync(CHROMIUM), "sudo apt-get install chromium");
const screenshots = join(ROOT, "dist/screenshots");

let server: RunningServer;
let browser: Browser | undefined;
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return;
  server = await startServer({ command: [EXECUTABLE] });
  mkdirSync(screenshots, { recursive: true });
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function docsPage(base = server.rest) {
  if (!browser) throw new Error("no browser");
  const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
  const asked: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${base}/docs`);
  await page.waitForSelector(".opblock");
  return { page, asked, complaints };
}

/** Opens an operation, fills in what is to be, presses Execute, returns the status that the page shows. */
async function execute(
  page: Awaited<ReturnType<typeof docsPage>>["page"],
  method: string,
  path: string,
  fill: (block: Locator) => Promise<void> = async () => undefined,
): Promise<string> {
  const block = page
    .locator(`.opblock-${method}`)
    .filter({ has: page.locator(`.opblock-summary-path[data-path="${path}"]`) })
    .first();
  await block.locator(".opblock-summary").click();
  await fill(block);
  await block.locator(".btn.execute").click();
  const status = block.locator(".live-responses-table tbody .response-col_status").first();
  await status.waitFor();
  const text = (await status.textContent())?.split("\n")[0]?.trim() ?? "";
  // What stays open is drawn again with every answer after it.
  await block.locator(".opblock-summary-control").first().click();
  return text;
}

describe("Swagger UI", () => {
  browserTest("loads from this machine alone, without a complaint", async () => {
    const { page, asked, complaints } = await docsPage();
    await page.screenshot({ path: join(screenshots, "docs.png") });
    expect(asked.length).toBeGreaterThan(3);
    for (const url of asked) expect(url.startsWith(server.rest) || url.startsWith("data:")).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });

  /** Two lists of what works one after the other on a fresh server: at once, for a page takes most of one core. */
  const PRESSED: [method: "get" | "post", path: string][][] = [
    [
      ["get", "/status"],
      ["get", "/voltage"],
      ["get", "/diagnostics"],
      ["post", "/ring"],
      ["post", "/stop-ring"],
      ["post", "/announce"],
      ["post", "/gather"],
      ["post", "/gather/stop"],
      ["get", "/lines"],
      ["get", "/lines/{line}/status"],
      ["get", "/events"],
      ["get", "/webhooks"],
      ["post", "/webhooks/resume"],
      ["get", "/config"],
      ["get", "/ready"],
      ["get", "/health"],
      ["get", "/simulator/lines/{line}"],
      ["post", "/simulator/lines/{line}/voltage"],
      ["post", "/generate-tts"],
      ["get", "/speech/voices"],
      ["get", "/prompts"],
      ["post", "/message-waiting"],
    ],
    [
      ["post", "/simulator/lines/{line}/lift"],
      ["post", "/simulator/lines/{line}/press"],
      ["post", "/simulator/lines/{line}/pulse"],
      ["post", "/simulator/lines/{line}/flash"],
      ["post", "/generate-tone"],
      ["post", "/play-audio"],
      ["get", "/playbacks"],
      ["post", "/stop-playback"],
      ["post", "/say"],
      ["post", "/call-waiting"],
      ["post", "/bridges"],
      ["get", "/bridges"],
      ["post", "/record"],
      ["post", "/record/pause"],
      ["post", "/record/resume"],
      ["post", "/record/stop"],
      ["get", "/recordings"],
      ["get", "/stream"],
      ["post", "/stream"],
      ["get", "/streams"],
      ["get", "/simulator/lines/{line}/ear"],
      ["post", "/simulator/lines/{line}/hang-up"],
    ],
  ];

  browserTest("every operation without a file works when pressed", async () => {
    await Promise.all(
      PRESSED.map(async (operations, i) => {
        await using fresh = await startServer({ command: [EXECUTABLE] });
        const { page } = await docsPage(fresh.rest);
        const done: Record<string, string> = {};
        for (const [method, path] of operations) done[`${method} ${path}`] = await execute(page, method, path);
        await page.screenshot({ path: join(screenshots, `pressed-${i + 1}.png`), fullPage: true });
        for (const [operation, status] of Object.entries(done))
          expect(`${operation} ${status}`).toBe(`${operation} 200`);
        await page.close();
      }),
    );
  });

  browserTest("a sound is sent from the page, in a form", async () => {
    const { page } = await docsPage();
    await fetch(`${server.rest}/simulator/lines/1/lift`, { method: "POST" });
    const file = { name: "hello.wav", mimeType: "audio/wav", buffer: Buffer.from(encodeWav(new Int16Array(800))) };
    for (const path of ["/play-audio", "/announce"]) {
      const status = await execute(page, "post", path, async (block) => {
        await block.locator(".opblock-section-request-body .content-type").selectOption("multipart/form-data");
        await block.locator('input[type="file"]').setInputFiles(file);
      });
      await page.screenshot({ path: join(screenshots, `form${path.replace("/", "-")}.png`) });
      expect(`${path} ${status}`).toBe(`${path} 200`);
    }
    await page.close();
  });

  browserTest("Authorize takes a token, and then works", async () => {
    const token = "browser-browser-browser";
    await using guarded = await startConfigured(`security: { api_tokens: [${token}] }\n`, 2, [EXECUTABLE]);
    const { page } = await docsPage(guarded.rest);
    expect(await execute(page, "get", "/status")).toBe("401");
    await page.locator(".btn.authorize").first().click();
    await page.locator(".auth-container input").first().fill(token);
    await page.locator(".auth-btn-wrapper .authorize").first().click();
    await page.locator(".auth-btn-wrapper .btn-done").first().click();
    expect(await execute(page, "get", "/lines")).toBe("200");
    expect(await execute(page, "post", "/stop-ring")).toBe("200");
    await page.close();
  });
});

/** In the kernel rig: the card is taken away and put back while a client sends sound. */
import { join } from "node:path";
import type { Measured } from "../../test/rig/report";
import { ROOT } from "../../test/support/server";
import type { Figures } from "../figures";

export async function unplugged(figures: Figures, times: number): Promise<void> {
  const report = join(ROOT, "build/rig/soak-report.json");
  const rig = Bun.spawn([process.execPath, "test/rig/rig.ts", "x64/vfxs/faults", `--report=${report}`], {
    cwd: ROOT,
    env: { ...process.env, DAHDI_SOAK_UNPLUGGED: String(times) },
    stdout: "pipe",
    stderr: "ignore",
  });
  const told = await new Response(rig.stdout).text();
  await rig.exited;
  const failed = told.split("\n").filter((line) => line.startsWith("not ok"));
  for (const line of failed) console.log(`    ${line}`);
  const { measured } = (await Bun.file(report).json()) as { measured: Measured[] };
  const memory = measured.find(({ behaviour }) => behaviour.startsWith(`unplugged ${times} times`));
  figures.add(
    "kernel rig: the card unplugged while a client sends sound",
    memory ? times : 0,
    "times",
    String(times),
  );
  figures.add("kernel rig: resident memory afterwards", Number(memory?.value ?? Number.NaN), "MB");
  figures.add("kernel rig: of all faults made on purpose, not mended", failed.length, "", "0");
}

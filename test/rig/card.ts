/** Which DAHDI card a guest has: the kernel's local spans, or the virtual card. */
import type { CardKind } from "../support/backend";
import { RIG_LINES } from "../support/backend";
import type { Agent } from "./guest";

const lines = (from: number): string => `${from}-${from + RIG_LINES - 1}`;

const SYSTEM_CONF: Record<CardKind, string> = {
  local: [
    `dynamic=loc,1:0,${RIG_LINES},0`,
    `dynamic=loc,1:1,${RIG_LINES},0`,
    `fxoks=${lines(1)}`,
    `fxsks=${lines(1 + RIG_LINES)}`,
    `echocanceller=mg2,${lines(1)}`,
  ].join("\n"),
  vfxs: `fxoks=${lines(1)}`,
};
const ZONE = "loadzone=us\ndefaultzone=us\n";

export async function insertCard(agent: Agent, kind: CardKind): Promise<void> {
  await agent.put("/etc/dahdi/system.conf", `${SYSTEM_CONF[kind]}\n${ZONE}`);
  const modules =
    kind === "local"
      ? "insmod dahdi_dynamic.ko && insmod dahdi_dynamic_loc.ko && insmod dahdi_echocan_mg2.ko"
      : `insmod vfxs.ko ports=${RIG_LINES}`;
  await agent.sh(`cd /modules && insmod dahdi.ko auto_assign_spans=1 && ${modules}`);
  await agent.sh("dahdi_cfg -c /etc/dahdi/system.conf");
}

/**
 * Clients do not take the last descriptors: where they did, accepting them failed and was tried again at once, for half of
 * a core, and a card that came back could not be opened.
 */
import type { Shim } from "../driver/library";
import type { Log } from "../observe/log";

/** Files, cards, programs that speak, requests of our own, and who is about to be refused. */
const RESERVED_DESCRIPTORS = 32;
/** Who has not said a word by then makes room where room is needed. */
const SILENT_MS = 1000;
const LOOK_EVERY_MS = 100;
const LOG_EVERY_MS = 60_000;

export interface DescriptorNeeds {
  shim: Pick<Shim, "dshim_refuse_clients">;
  ports: readonly [number, number];
  log: Pick<Log, "warning">;
  monotonicMs(): number;
}

/** Returns what is to be done every LOOK_EVERY_MS. */
export function descriptorGuard({ shim, ports, log, monotonicMs }: DescriptorNeeds): () => void {
  let refused = 0;
  let quietUntilMs = 0;
  return () => {
    refused += Math.max(0, shim.dshim_refuse_clients(ports[0], ports[1], RESERVED_DESCRIPTORS, SILENT_MS));
    if (refused === 0 || monotonicMs() < quietUntilMs) return;
    log.warning("connections were closed: too many are open for the files that this process may have", {
      closed: refused,
      fix: "find out who opens them, or raise LimitNOFILE",
    });
    refused = 0;
    quietUntilMs = monotonicMs() + LOG_EVERY_MS;
  };
}

export function guardDescriptors(needs: Omit<DescriptorNeeds, "monotonicMs">): void {
  setInterval(descriptorGuard({ ...needs, monotonicMs: () => performance.now() }), LOOK_EVERY_MS).unref();
}

/** What the kernel lets a process of ours do: page size, and real-time priority. */
import { error, type Finding, ok, skipped, warning } from "./findings";
import { dropIn, serviceUnit } from "./service";
import type { System } from "./system";

/** The native library is laid out for pages up to this size. */
const LARGEST_PAGE_KIB = 64;
/** SCHED_FIFO priority of the I/O thread: REALTIME_PRIORITY in native/libdahdi_shim.c. */
const WANTED_PRIORITY = 10;
const CAP_SYS_NICE = 23n;

export function checkPageSize(system: System): Finding {
  const kib = Number(/^KernelPageSize:\s+(\d+) kB/m.exec(system.readText("/proc/self/smaps") ?? "")?.[1]);
  if (!kib) return skipped("page_size", "This kernel does not tell its page size");
  if (kib <= LARGEST_PAGE_KIB) return ok("page_size", `Memory pages of ${kib} KiB are fine`);
  return error("page_size", `Memory pages of ${kib} KiB are larger than the native library is laid out for`, {
    detail: "Up to 64 KiB are supported: choose another kernel.",
  });
}

export function checkRealtime(system: System): Finding {
  const unit = serviceUnit(system);
  if (unit) {
    if (unit.user === null || (unit.realtimePriority ?? 0) >= WANTED_PRIORITY)
      return ok("realtime", "The service may take real-time priority");
    return warning("realtime", `${unit.path} gives no real-time priority`, {
      detail: "Without it the sound can click when the machine is busy.",
      fix: dropIn("realtime", `LimitRTPRIO=${WANTED_PRIORITY}`),
    });
  }
  const soft = /^Max realtime priority\s+(\S+)/m.exec(system.readText("/proc/self/limits") ?? "")?.[1];
  const capabilities = BigInt(
    `0x${/^CapEff:\s+([0-9a-f]+)/m.exec(system.readText("/proc/self/status") ?? "")?.[1] ?? "0"}`,
  );
  const allowed = soft === "unlimited" || Number(soft) >= WANTED_PRIORITY;
  if (allowed || ((capabilities >> CAP_SYS_NICE) & 1n) === 1n)
    return ok("realtime", `${system.user.name} may take real-time priority`);
  return warning("realtime", `${system.user.name} may not take real-time priority (limit ${soft ?? "unknown"})`, {
    detail:
      "Without it the sound can click when the machine is busy. It counts from the next login on; our systemd unit has it.",
    fix: `echo '${system.user.name} - rtprio ${WANTED_PRIORITY}' | sudo tee /etc/security/limits.d/dahdi-phone-api.conf`,
  });
}

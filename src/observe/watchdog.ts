/** systemd's watchdog: pinged while both worlds move, JavaScript by the timer itself, the I/O thread by its progress. */

export interface Watched {
  /** Grows while the I/O thread lives. */
  progress(): number;
  ping(): void;
}

/** systemd advises half; thirds leave room for one that is late. */
const PINGS_PER_PERIOD = 3;
const US_PER_MS = 1000;

/** Ms between pings; null where nobody watches this process. */
export function pingIntervalMs(environment: Record<string, string | undefined>, pid: number): number | null {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  const periodUs = Number(WATCHDOG_USEC);
  if (!(periodUs > 0) || (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== pid)) return null;
  return Math.max(Math.floor(periodUs / US_PER_MS / PINGS_PER_PERIOD), 1);
}

/** A look at both: pings when the thread has moved since the look before. */
export function watchdog({ progress, ping }: Watched): () => void {
  let before = progress();
  return () => {
    const now = progress();
    if (now !== before) ping();
    before = now;
  };
}

/** Returns what ends it: to be called before the thread is. */
export function startWatchdog(
  environment: Record<string, string | undefined>,
  pid: number,
  watched: Watched,
): () => void {
  const everyMs = pingIntervalMs(environment, pid);
  if (everyMs === null) return () => undefined;
  const timer = setInterval(watchdog(watched), everyMs);
  return () => clearInterval(timer);
}

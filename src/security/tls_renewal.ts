/**
 * The certificate while the server runs: another one on the disk is taken (somebody renewed it), one of our own is
 * renewed before it expires, and what is wrong with it is said once. Whatever fails, the one before stays.
 */
import { TlsError } from "./tls_error";
import { isStillborn, type TlsIdentity } from "./tls_identity";

type Say = (message: string, fields: Record<string, string>) => void;

export interface TlsRenewalNeeds {
  /** What lies on the disk now; make: ours, where it was removed. Throws TlsError. */
  read(make: boolean): TlsIdentity;
  /** Ours alone: a new one, written. Throws TlsError. null: it is an authority's work. */
  renew: ((now: Date, current: TlsIdentity) => TlsIdentity) | null;
  /** What clients may call us by, as it is now; where it has to be named. */
  names(): readonly string[];
  /** New connections see it from then on. Throws TlsError, and then serves the one before. */
  serve(identity: TlsIdentity): void;
  nowMs(): number;
  monotonicMs(): number;
  log: { info: Say; warning: Say; error: Say };
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of 20 years. */
const RENEWED_BEFORE_MS = 30 * DAY_MS;
/** An authority's is renewed by others, a month or a third of its time before: then something is amiss there. */
const TOLD_BEFORE_MS = 7 * DAY_MS;
/** A clock that was not set yet must not take from clients what they pinned. */
const SURE_OF_CLOCK_MS = 60 * 60 * 1000;

export class TlsRenewal {
  #dueSinceMs: number | null = null;
  #faultSeen: string | null = null;
  readonly #told = new Set<string>();

  constructor(
    private current: TlsIdentity,
    private readonly needs: TlsRenewalNeeds,
  ) {}

  /** Every minute or so, and when somebody says so: asked. */
  look(asked = false): void {
    try {
      const found = this.needs.read(asked);
      if (found.certificatePem !== this.current.certificatePem || found.keyPem !== this.current.keyPem) {
        this.#take(found, "another certificate was put in place");
      }
      if (this.#renewalIsDue()) this.#renew();
      this.#faultSeen = null;
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      this.#tellFault(error.message, asked);
    }
    this.#warn();
  }

  /** Who replaces two files is between them for a moment: a fault is told when it is seen again, or was asked for. */
  #tellFault(fault: string, asked: boolean): void {
    if (asked || fault === this.#faultSeen) {
      this.#once(`fault ${fault}`, () =>
        this.needs.log.error("the certificate stays as it was", { error: fault }),
      );
    }
    this.#faultSeen = fault;
  }

  #take(next: TlsIdentity, why: string): void {
    this.needs.serve(next);
    this.current = next;
    this.#dueSinceMs = null;
    this.#told.clear();
    this.needs.log.info(why, {
      tls_sha256: next.fingerprint,
      valid_until: new Date(next.validUntilMs).toISOString(),
    });
  }

  #renewalIsDue(): boolean {
    const { renew, nowMs, monotonicMs } = this.needs;
    if (!renew) return false;
    if (isStillborn(this.current)) return true;
    if (nowMs() < this.current.validUntilMs - RENEWED_BEFORE_MS) {
      this.#dueSinceMs = null;
      return false;
    }
    this.#dueSinceMs ??= monotonicMs();
    return monotonicMs() - this.#dueSinceMs >= SURE_OF_CLOCK_MS;
  }

  #renew(): void {
    const { renew, nowMs } = this.needs;
    if (!renew) return;
    const why = "the certificate was renewed: give it to clients that compare it";
    this.#take(renew(new Date(nowMs()), this.current), why);
  }

  #warn(): void {
    const { log, names, nowMs, renew } = this.needs;
    const { validFromMs, validUntilMs } = this.current;
    const until = { valid_until: new Date(validUntilMs).toISOString() };
    if (nowMs() < validFromMs) {
      const from = { valid_from: new Date(validFromMs).toISOString(), clock: new Date(nowMs()).toISOString() };
      this.#once("early", () => log.warning("the certificate is not valid yet, or the clock is wrong", from));
    } else if (nowMs() >= validUntilMs) {
      this.#once("expired", () => log.error("the certificate has expired", until));
    } else if (!renew && nowMs() >= validUntilMs - TOLD_BEFORE_MS) {
      this.#once("soon", () => log.warning("the certificate expires within a week", until));
    }
    for (const name of names()) {
      if (this.current.names(name)) continue;
      const fix = "remove tls-certificate.pem and reload";
      this.#once(`name ${name}`, () =>
        log.warning("the certificate does not have a name that we have now", { name, fix }),
      );
    }
  }

  #once(what: string, say: () => void): void {
    if (this.#told.has(what)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(what);
    say();
  }
}

/** Of what was told, so that it is not told again. */
const MAX_TOLD = 100;

/**
 * The life of the certificates that are issued for the sites: ordered, kept, renewed, and tried again after a failure. In
 * one thread of a process; the table of that thread tells all others.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { ServerCertificate } from "../tls/certificate.ts";
import { AcmeError } from "./acme_error.ts";
import type { CertificateIssuer } from "./certificate_issuer.ts";
import type { CertificateStatus, IssuerKind, OrderCounts } from "./certificate_status.ts";
import type { CertificateTable, NamedCertificate } from "./certificate_table.ts";
import { ManagedName } from "./managed_name.ts";
import { isNewer } from "./issued_certificate.ts";
import { type OnDemandOptions, OnDemandPermission } from "./on_demand.ts";
import { ORDER_PAUSES, type OrderPauses, renewalTime } from "./renewal.ts";
import { StoreWatch } from "./store_watch.ts";

/** A name that needs a certificate. */
export interface WantedName {
  /** In lower case; with `*.` for wildcards. */
  readonly name: string;
  readonly issuer: IssuerKind;
}

/** What one config asks for. */
export interface CertificatePlan {
  readonly names: readonly WantedName[];
  /** Who issues. */
  readonly issuers: Readonly<Record<IssuerKind, CertificateIssuer>>;
  /** Names that clients ask for; undefined where there are none. */
  readonly onDemand?: OnDemandOptions & { readonly issuer: IssuerKind };
}

/** Options of {@linkcode CertificateManager}. */
export interface CertificateManagerOptions {
  /** Where certificates are put in place. */
  readonly table: CertificateTable;
  readonly log: Pick<Log, "log">;
  /** Called after each change of the table. */
  readonly onChange?: (changed: NamedCertificate) => void;
  /**
   * When a certificate is renewed of which the authority suggests nothing, in milliseconds since 1970.
   *
   * @default {renewalTime}
   */
  readonly renewalTime?: (certificate: ServerCertificate) => number;
  /**
   * How long to wait after an order.
   *
   * @default {ORDER_PAUSES}
   */
  readonly pauses?: OrderPauses;
  /**
   * Time between two looks for certificates of other processes, in milliseconds.
   *
   * @default {STORE_POLL_MS}
   */
  readonly storePollMs?: number;
}

/** Orders at a time, over all names. */
const MOST_ORDERS = 4;
/** Time for one order with all its authorities. */
const ORDER_TIMEOUT_MS = 15 * 60_000;
/** Longest time between two looks at the clock, which may be set, or have stood still while the machine slept. */
const LONGEST_TICK_MS = 5 * 60_000;

/** The manager. Owned by the state of the process, in the thread that orders. */
export class CertificateManager {
  readonly #options: CertificateManagerOptions;
  #names = new Map<string, ManagedName>();
  /** Names of a config that is not active yet. */
  readonly #prepared = new Map<string, ManagedName>();
  readonly #ending = new AbortController();
  readonly #watch: StoreWatch;
  #plan: CertificatePlan | undefined;
  #onDemand: CertificatePlan["onDemand"];
  #permission: OnDemandPermission | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #orders = 0;
  #issuedCount = 0;
  #failedCount = 0;

  constructor(options: CertificateManagerOptions) {
    this.#options = options;
    this.#watch = new StoreWatch({
      issuer: () => this.#plan?.issuers.acme,
      names: () => [...this.#names.values()].filter(({ issuer }) => issuer === "acme").map(({ name }) => name),
      onFound: (name, certificate) => this.#found(name, certificate),
      ...{ log: options.log, pollMs: options.storePollMs },
    });
  }

  /** In the order in which names came. */
  get status(): CertificateStatus[] {
    const { problem } = this.#watch;
    return [...this.#names.values()].map(({ status }) =>
      problem === undefined || status.problem !== null || status.issuer !== "acme" ? status : { ...status, problem }
    );
  }

  get orders(): OrderCounts {
    return { issued: this.#issuedCount, failed: this.#failedCount };
  }

  /**
   * Puts in place what can be had at once: certificates that are kept, and those of the local authority. What is in place
   * stays until {@linkcode activate}. Never rejects: a certificate that is missing is a problem of its name.
   */
  async prepare({ names, issuers }: CertificatePlan): Promise<void> {
    await Promise.all(names.map(async ({ name, issuer }) => {
      if (this.#isManaged({ name, issuer }, issuers)) return;
      const managed = new ManagedName(name, issuer, false);
      await this.#load(managed, issuers[issuer]);
      if (managed.certificate === undefined && issuer === "internal") await this.#order(managed, issuers[issuer]);
      this.#prepared.set(name, managed);
      if (!this.#names.has(name)) this.#publish(managed);
    }));
  }

  /** Orders what the plan asks for from now on, and nothing else. */
  activate(plan: CertificatePlan): void {
    const kept = new Map<string, ManagedName>();
    for (const wanted of plan.names) {
      const managed = this.#isManaged(wanted, plan.issuers) ? this.#names.get(wanted.name) : undefined;
      const prepared = this.#prepared.get(wanted.name);
      const usable = prepared?.issuer === wanted.issuer ? prepared : undefined;
      kept.set(wanted.name, managed ?? usable ?? new ManagedName(wanted.name, wanted.issuer, false));
    }
    const { onDemand } = plan;
    for (const managed of this.#names.values()) {
      if (!managed.onDemand || kept.has(managed.name) || managed.issuer !== onDemand?.issuer) continue;
      if (this.#isManaged(managed, plan.issuers)) kept.set(managed.name, managed);
    }
    for (const name of new Set([...this.#names.keys(), ...this.#prepared.keys()])) {
      if (!kept.has(name)) this.#set({ name, certificate: undefined });
    }
    this.#plan = plan;
    this.#names = kept;
    this.#prepared.clear();
    for (const managed of kept.values()) this.#publish(managed);
    if (!sameBounds(this.#onDemand, onDemand)) this.#permission = onDemand && new OnDemandPermission(onDemand);
    this.#onDemand = onDemand;
    this.#watch.start();
    this.#tick();
  }

  /** Whether a name is managed already, with this issuer. */
  #isManaged({ name, issuer }: WantedName, issuers: CertificatePlan["issuers"]): boolean {
    return this.#names.get(name)?.issuer === issuer && this.#plan?.issuers[issuer] === issuers[issuer];
  }

  /** The certificate of a name that a client asks for, if it is allowed. Never rejects. */
  async obtain(name: string): Promise<ServerCertificate | undefined> {
    const [plan, permission] = [this.#plan, this.#permission];
    if (plan?.onDemand === undefined || permission === undefined) return undefined;
    const known = this.#names.get(name);
    // One that failed is tried again in its time, not with each client.
    const { log } = this.#options;
    if (known !== undefined) {
      const { problem } = known.status;
      if (known.certificate === undefined && problem !== null) {
        const next = new Date(problem.nextTryAtMs).toISOString();
        log.log("debug", "no certificate on demand", { name, reason: problem.message, next_try: next });
      }
      return known.certificate;
    }
    const issuer = plan.issuers[plan.onDemand.issuer];
    const managed = new ManagedName(name, plan.onDemand.issuer, true);
    const onDemandNames = [...this.#names.values()].filter(({ onDemand }) => onDemand).length;
    try {
      await this.#read(managed, issuer);
      const refusal = await permission.refusal(
        name,
        onDemandNames,
        managed.certificate === undefined,
        this.#ending.signal,
      );
      if (refusal !== undefined) {
        log.log("debug", "no certificate on demand", { name, reason: refusal });
        return undefined;
      }
    } catch {
      return undefined;
    }
    if (this.#permission !== permission || this.#names.has(name)) return this.#names.get(name)?.certificate;
    this.#names.set(name, managed);
    this.#publish(managed);
    if (managed.certificate === undefined) await this.#order(managed, issuer);
    this.#tick();
    return managed.certificate;
  }

  /** Ends orders that are under way. */
  close(): void {
    clearTimeout(this.#timer);
    this.#watch.close();
    this.#ending.abort(new Error("The server stops"));
  }

  // One that is missing leaves that of an earlier issuer in place.
  #publish({ name, certificate }: ManagedName): void {
    const before = this.#options.table.certificateFor(name);
    if (certificate !== undefined && before !== certificate) this.#set({ name, certificate });
  }

  #set(changed: NamedCertificate): void {
    this.#options.table.set(changed);
    this.#options.onChange?.(changed);
  }

  async #load(managed: ManagedName, issuer: CertificateIssuer): Promise<void> {
    try {
      await this.#read(managed, issuer);
    } catch (error) {
      this.#fail(managed, error);
    }
  }

  async #read(managed: ManagedName, issuer: CertificateIssuer): Promise<void> {
    const kept = await issuer.kept(managed.name);
    if (kept !== undefined) this.#adopt(managed, kept, { issuer, notBeforeMs: 0 });
  }

  #adopt(
    managed: ManagedName,
    certificate: ServerCertificate,
    { issuer, notBeforeMs }: { issuer: CertificateIssuer; notBeforeMs: number },
  ): void {
    const { renewalTime: choose = renewalTime } = this.#options;
    const asksForWindow = issuer.renewalWindow !== undefined;
    managed.adopt(certificate, { renewAtMs: choose(certificate), notBeforeMs, asksForWindow });
  }

  /** Another process has written a certificate. An order that is under way finds it by itself. */
  #found(name: string, certificate: ServerCertificate): void {
    const managed = this.#names.get(name);
    const issuer = this.#plan?.issuers.acme;
    if (managed?.issuer !== "acme" || issuer === undefined || managed.busy === "order") return;
    if (!isNewer(certificate, managed.certificate)) return;
    this.#adopt(managed, certificate, { issuer, notBeforeMs: 0 });
    this.#logUse(name, certificate, false);
    this.#publish(managed);
    this.#tick();
  }

  #logUse(name: string, { issuer, notAfterMs }: ServerCertificate, ordered: boolean): void {
    const event = ordered ? "certificate issued" : "certificate of another process used";
    this.#options.log.log("info", event, { name, issuer, expires: new Date(notAfterMs).toISOString() });
  }

  /** Begins what is due, and comes back when something else is. */
  #tick(): void {
    clearTimeout(this.#timer);
    if (this.#ending.signal.aborted || this.#plan === undefined) return;
    const nowMs = Date.now();
    for (const managed of this.#names.values()) {
      const work = managed.due(nowMs);
      if (work === undefined || this.#orders >= MOST_ORDERS) continue;
      const issuer = this.#plan.issuers[managed.issuer];
      const done = work === "order" ? this.#renew(managed, issuer) : this.#askForWindow(managed, issuer);
      done.then(() => this.#tick());
    }
    // Those that wait for their turn come with the end of an order.
    const waiting = [...this.#names.values()].map(({ dueAtMs }) => dueAtMs).filter((atMs) => atMs > nowMs);
    const pauseMs = Math.min(...waiting, nowMs + LONGEST_TICK_MS) - nowMs;
    this.#timer = setTimeout(() => this.#tick(), Math.max(pauseMs, 1));
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #renew(managed: ManagedName, issuer: CertificateIssuer): Promise<void> {
    if (managed.onDemand && managed.certificate !== undefined && !await this.#stillAllowed(managed)) return;
    await this.#order(managed, issuer);
  }

  /** Names that clients asked for are renewed only while they are allowed. */
  async #stillAllowed(managed: ManagedName): Promise<boolean> {
    managed.busy = "window";
    const refusal = await this.#permission?.refusal(managed.name, 0, false, this.#ending.signal).catch(() => undefined);
    managed.busy = undefined;
    if (refusal !== "denied") return true;
    this.#options.log.log("info", "certificate is not renewed, as its name is not allowed any more", {
      name: managed.name,
    });
    this.#names.delete(managed.name);
    this.#set({ name: managed.name, certificate: undefined });
    return false;
  }

  async #order(managed: ManagedName, issuer: CertificateIssuer): Promise<void> {
    const { log, pauses = ORDER_PAUSES } = this.#options;
    const { name } = managed;
    managed.busy = "order";
    this.#orders++;
    if (managed.issuer === "acme") log.log("info", "certificate is ordered", { name });
    try {
      const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ORDER_TIMEOUT_MS)]);
      const { certificate, ordered } = await issuer.issue(name, managed.certificate, signal);
      this.#adopt(managed, certificate, { issuer, notBeforeMs: Date.now() + pauses.renewalMs });
      if (ordered) this.#issuedCount++;
      this.#logUse(name, certificate, ordered);
      // A reload may have removed the name meanwhile.
      if (this.#names.get(name) === managed) this.#publish(managed);
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#fail(managed, error);
    } finally {
      managed.busy = undefined;
      this.#orders--;
    }
  }

  async #askForWindow(managed: ManagedName, issuer: CertificateIssuer): Promise<void> {
    const { certificate } = managed;
    if (certificate === undefined || issuer.renewalWindow === undefined) {
      return managed.suggested(undefined, Date.now());
    }
    managed.busy = "window";
    this.#orders++;
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(ORDER_TIMEOUT_MS)]);
    const window = await issuer.renewalWindow(certificate, signal);
    managed.busy = undefined;
    this.#orders--;
    if (managed.certificate === certificate) managed.suggested(window, Date.now());
  }

  #fail(managed: ManagedName, error: unknown): void {
    const { log, pauses = ORDER_PAUSES } = this.#options;
    const failure = error instanceof AcmeError
      ? error
      : new AcmeError(error instanceof Error ? error.message : String(error), { cause: error });
    this.#failedCount++;
    const { message, failures, nextTryAtMs } = managed.failed(failure, Date.now(), pauses);
    log.log("error", "certificate cannot be had", {
      ...{ name: managed.name, cause: message, failures },
      next_try: new Date(nextTryAtMs).toISOString(),
    });
  }
}

function sameBounds(one: CertificatePlan["onDemand"], other: CertificatePlan["onDemand"]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

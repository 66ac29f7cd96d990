/**
 * The certificates that are issued for the sites, as the rest of the program sees them. What orders them is loaded with
 * the first config that needs it, so that other starts are not slower.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { StoreConfig } from "../../redis/store_schema.ts";
import type { AcmeConfig } from "./acme_schema.ts";
import type { CertificateManager, CertificatePlan, WantedName } from "./certificate_manager.ts";
import type { CertificateStatus, IssuerKind, OrderCounts } from "./certificate_status.ts";
import type { CertificateStores } from "./certificate_stores.ts";
import type { CertificateTable, NamedCertificate } from "./certificate_table.ts";
import type { IssuerSetup } from "./issuer_setup.ts";
import type { OrderPauses } from "./renewal.ts";
import type { ServerCertificate } from "../tls/certificate.ts";

/** What a config asks for. */
export interface CertificateRequest {
  /** `[acme]`. */
  readonly acme: AcmeConfig;
  /** `[store]`; undefined where certificates are kept in a folder. */
  readonly store?: StoreConfig;
  readonly names: readonly WantedName[];
  /** Who issues for names that clients ask for; undefined where no site has any. */
  readonly onDemand: IssuerKind | undefined;
}

/** When certificates are ordered. */
export interface CertificateTimes {
  /**
   * How long to wait after an order.
   *
   * @default {ORDER_PAUSES}
   */
  readonly pauses?: OrderPauses;
  /**
   * When a certificate is renewed of which the authority suggests nothing.
   *
   * @default {renewalTime}
   */
  readonly renewalTime?: (certificate: ServerCertificate) => number;
  /**
   * Time between two looks for certificates of other processes, in milliseconds.
   *
   * @default {STORE_POLL_MS}
   */
  readonly storePollMs?: number;
}

/** Options of {@linkcode CertificateService}. */
export interface CertificateServiceOptions extends CertificateTimes {
  readonly table: CertificateTable;
  readonly stores: CertificateStores;
  readonly log: Pick<Log, "log">;
}

/** The service. Owned by the state of the process, in the thread that orders certificates. */
export class CertificateService {
  /** Called after each change of the table. */
  onChange: ((changed: NamedCertificate) => void) | undefined;
  readonly #options: CertificateServiceOptions;
  readonly #plans = new WeakMap<CertificateRequest, CertificatePlan>();
  #manager: CertificateManager | undefined;
  #setup: IssuerSetup | undefined;
  #closed = false;

  constructor(options: CertificateServiceOptions) {
    this.#options = options;
  }

  /** Each name with its certificate, or the reason why it has none. */
  get status(): readonly CertificateStatus[] {
    return this.#manager?.status ?? [];
  }

  get orders(): OrderCounts {
    return this.#manager?.orders ?? { issued: 0, failed: 0 };
  }

  /** Puts in place what can be had at once for a config that is not active yet. Never rejects. */
  async prepare(request: CertificateRequest): Promise<void> {
    if (this.#manager === undefined && request.names.length === 0 && request.onDemand === undefined) return;
    const { table, stores, log } = this.#options;
    const [{ CertificateManager }, { IssuerSetup }] = await Promise.all([
      import("./certificate_manager.ts"),
      import("./issuer_setup.ts"),
    ]);
    if (this.#closed) return;
    this.#manager ??= new CertificateManager({ ...this.#options, onChange: (changed) => this.onChange?.(changed) });
    this.#setup ??= new IssuerSetup(stores, log);
    const plan = await this.#setup.plan(request);
    this.#plans.set(request, plan);
    await this.#manager.prepare(plan);
    table.obtainer = (name) => this.obtain(name);
  }

  /** Orders what a config asks for that was prepared. */
  activate(request: CertificateRequest): void {
    const plan = this.#plans.get(request);
    if (plan !== undefined) this.#manager?.activate(plan);
  }

  /** As of the manager. */
  obtain(name: string): Promise<ServerCertificate | undefined> {
    return this.#manager?.obtain(name) ?? Promise.resolve(undefined);
  }

  /** Ends all orders. */
  close(): void {
    this.#closed = true;
    this.#manager?.close();
    this.#setup?.close();
  }
}

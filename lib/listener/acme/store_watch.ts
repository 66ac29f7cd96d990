/**
 * Looks every few seconds for certificates that other processes have written to the store, and tells whether the store
 * can be reached.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { ServerCertificate } from "../tls/certificate.ts";
import type { CertificateIssuer } from "./certificate_issuer.ts";
import type { CertificateProblem } from "./certificate_status.ts";

/** Time between two looks. */
export const STORE_POLL_MS = 10_000;

/** Options of {@linkcode StoreWatch}. */
export interface StoreWatchOptions {
  /** Who reads the store; undefined before there is a config. */
  readonly issuer: () => CertificateIssuer | undefined;
  /** Names whose certificates are looked for. */
  readonly names: () => Iterable<string>;
  /** Called with each certificate that was written. */
  readonly onFound: (name: string, certificate: ServerCertificate) => void;
  readonly log: Pick<Log, "log">;
  /**
   * Time between two looks, in milliseconds.
   *
   * @default {STORE_POLL_MS}
   */
  readonly pollMs?: number;
}

/** The watch. Owned by the manager of certificates. */
export class StoreWatch {
  /** Why the store could not be read the last time. */
  problem: CertificateProblem | undefined;
  readonly #options: StoreWatchOptions;
  /** Names whose certificates were written and not read yet. */
  readonly #written = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  /** Begins, where it has not begun yet. */
  start(): void {
    if (this.#timer === undefined) this.#wait();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? STORE_POLL_MS;
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#look().then(() => this.#wait()), this.#pollMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #look(): Promise<void> {
    const { issuer: issuerOf, names, onFound } = this.#options;
    const issuer = issuerOf();
    if (issuer?.changed === undefined) return this.#succeeded();
    try {
      for (const name of await issuer.changed(names())) this.#written.add(name);
      for (const name of this.#written) {
        const certificate = await issuer.kept(name);
        this.#written.delete(name);
        if (this.#closed) return;
        if (certificate !== undefined) onFound(name, certificate);
      }
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
  }

  #succeeded(): void {
    if (this.problem !== undefined) this.#options.log.log("info", "store of certificates can be reached again");
    this.problem = undefined;
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    const message = error instanceof Error ? error.message : String(error);
    if (this.problem === undefined) {
      this.#options.log.log("error", "store of certificates cannot be reached", { cause: message });
    }
    const failures = (this.problem?.failures ?? 0) + 1;
    this.problem = { message, atMs: Date.now(), failures, nextTryAtMs: Date.now() + this.#pollMs };
  }
}

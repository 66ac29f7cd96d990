/**
 * The watch over certificates: files are read again when they change, and certificates that expire soon are logged.
 *
 * @module
 */

import type { GenerationListener } from "../generation/generation.ts";
import type { CertificateFileReader, CertificateRefresh } from "../listener/tls/certificate_files.ts";
import type { ServerCertificate } from "../listener/tls/certificate.ts";
import type { Log } from "../log/log.ts";

/** Options of {@linkcode CertificateWatch}. */
export interface CertificateWatchOptions {
  readonly reader: CertificateFileReader;
  readonly log: Log | undefined;
  /** The listeners of the active generation. */
  readonly listeners: () => readonly Pick<GenerationListener, "tls">[];
  /**
   * Called when other certificates are in use.
   *
   * @default {nobody}
   */
  readonly onChange?: () => void;
  /**
   * Interval at which the files are looked at, in milliseconds.
   *
   * @default {1000}
   */
  readonly lookMs?: number;
}

const LOOK_MS = 1000;
const DAY_MS = 86_400_000;
/** Time before the end of a certificate from which on it is logged. */
const WARN_MS = 14 * DAY_MS;

/** One that BWS renews itself is logged once its renewal is late, however short its lifetime is. */
function warnMs({ origin, notBeforeMs, notAfterMs }: ServerCertificate): number {
  return origin === "file" ? WARN_MS : Math.min(WARN_MS, (notAfterMs - notBeforeMs) / 5);
}

/** Looks at the files regularly: this finds changes behind links and mounts, of which the system tells nothing. */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #stamps = "";
  /** Whether the files have changed, and may not be whole yet. */
  #settling = false;
  #warnedMs = -Infinity;
  /** Reasons that are logged already. */
  #refused: ReadonlySet<string> = new Set();

  constructor(options: CertificateWatchOptions) {
    this.#options = options;
  }

  /** Watches the certificates of the active generation from now on; none is forgotten before. */
  update(): void {
    const { reader, listeners, lookMs = LOOK_MS } = this.#options;
    const policies = listeners().flatMap(({ tls }) => tls?.policies ?? []);
    reader.retain(
      policies.flatMap(({ files }) => files?.files ?? []),
      policies.flatMap(({ tls: { client_auth: auth } }) => auth?.ca_file ?? []),
    );
    this.#stamps = stampsOf(reader.paths);
    // They may have changed since they were read.
    this.#settling = true;
    if (policies.length === 0) return this.close();
    this.#warn();
    this.#timer ??= setInterval(() => this.#look(), lookMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /** Reads the files again, and logs what was found. */
  refresh(): CertificateRefresh {
    const { reader, log, onChange } = this.#options;
    const refresh = reader.refresh();
    for (const { files, certificate } of refresh.changed) {
      const expires = new Date(certificate.notAfterMs).toISOString();
      log?.log("info", "certificate changed", { file: files.cert_file, names: certificate.names.join(" "), expires });
    }
    for (const path of refresh.changedAuthorities) log?.log("info", "authorities of clients changed", { file: path });
    for (const { path, reason } of refresh.refused) {
      if (this.#refused.has(reason)) continue;
      log?.log("error", "certificate refused, the one before stays in use", { file: path, cause: reason });
    }
    this.#refused = new Set(refresh.refused.map(({ reason }) => reason));
    if (refresh.changed.length + refresh.changedAuthorities.length > 0) onChange?.();
    return refresh;
  }

  /** Ends the watch. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  // Certificate and key are written one after the other, so a change is read once nothing has changed since the last look.
  #look(): void {
    if (Date.now() - this.#warnedMs >= DAY_MS) this.#warn();
    const stamps = stampsOf(this.#options.reader.paths);
    if (stamps !== this.#stamps) {
      this.#stamps = stamps;
      this.#settling = true;
    } else if (this.#settling) {
      this.#settling = false;
      this.refresh();
    }
  }

  #warn(): void {
    const nowMs = this.#warnedMs = Date.now();
    const { listeners, log } = this.#options;
    for (const policy of listeners().flatMap(({ tls }) => tls?.policies ?? [])) {
      for (const { name, certificate } of policy.named) {
        if (certificate === undefined || certificate.notAfterMs - nowMs > warnMs(certificate)) continue;
        const { notAfterMs, origin } = certificate;
        const expired = notAfterMs <= nowMs;
        log?.log(expired ? "error" : "warn", expired ? "certificate has expired" : "certificate expires soon", {
          ...{ site: policy.site, name, origin, expires: new Date(notAfterMs).toISOString() },
          days: Math.floor((notAfterMs - nowMs) / DAY_MS),
        });
      }
    }
  }
}

/** What changes when a file is written or replaced. Symbolic links are followed. */
function stampsOf(paths: readonly string[]): string {
  return paths.map((path) => {
    try {
      const { mtime, ctime, size, ino, dev } = Deno.statSync(path);
      return `${mtime?.getTime()} ${ctime?.getTime()} ${size} ${ino} ${dev}`;
    } catch {
      return "";
    }
  }).join("\n");
}

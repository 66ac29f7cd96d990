/**
 * Which exchanges are in an access log, and where their lines go. The access log of a route, of a site or of the server.
 *
 * @module
 */

import { type StatusRange, within } from "../http/status_range.ts";
import { type AccessLevel, isFailure } from "../log/access_line.ts";
import type { LineForm, LineWriter } from "../log/line_writer.ts";
import type { Exchange } from "./exchange.ts";

/** Options of {@linkcode AccessLog}. */
export interface AccessLogOptions {
  /** Makes a line, without control characters. */
  readonly format: (exchange: Exchange, level: AccessLevel) => string;
  /** Writes the same line as bytes; undefined where there is text alone. */
  readonly form?: LineForm<Exchange> | undefined;
  /** Takes the lines. */
  readonly writer: LineWriter;
  /** Whether other lines than those of failures are written. */
  readonly enabled: boolean;
  /**
   * The part of lines that is written, above 0 and up to 1; lines of status 400 and above are always written.
   *
   * @default {1}
   */
  readonly sample?: number;
  /**
   * Statuses whose lines are not written.
   *
   * @default {[]}
   */
  readonly skipStatus?: readonly StatusRange[];
  /**
   * Whether lines of a path are not written, except for failures.
   *
   * @default {none}
   */
  readonly skipsPath?: ((path: string) => boolean) | undefined;
  /**
   * Duration from which an exchange is slow: its line is always written, with the level `warn`. In milliseconds.
   *
   * @default {undefined} None is slow.
   */
  readonly slowMs?: number | undefined;
  /**
   * Writes failures as well, for a format without their cause, or an output where nobody looks for them.
   *
   * @default {undefined} They have the line of the access log.
   */
  readonly failures?: ((exchange: Exchange) => void) | undefined;
}

/** An access log. Immutable, but for what it writes. */
export class AccessLog {
  readonly #options: AccessLogOptions;
  /** Whether the line of every exchange is written. */
  readonly #all: boolean;

  constructor(options: AccessLogOptions) {
    this.#options = options;
    const { enabled, sample = 1, skipStatus = [], skipsPath, slowMs, failures } = options;
    this.#all = enabled && sample >= 1 && skipStatus.length === 0 && skipsPath === undefined && slowMs === undefined &&
      failures === undefined;
  }

  /** Writes the line of an exchange that has ended. */
  write(exchange: Exchange): void {
    const { slowMs = Infinity, failures } = this.#options;
    const failed = isFailure(exchange);
    if (this.#all) return this.#writeLine(exchange, failed ? "error" : "info");
    if (failed) failures?.(exchange);
    const slow = exchange.durationMs >= slowMs && !exchange.lasting && exchange.closeCode === 0;
    if (!slow && !this.#keeps(exchange, failed)) return;
    this.#writeLine(exchange, failed ? "error" : slow ? "warn" : "info");
  }

  #writeLine(exchange: Exchange, level: AccessLevel): void {
    const { writer, format, form } = this.#options;
    if (form === undefined) writer.line(format(exchange, level));
    else writer.lineOf(form, exchange, level);
  }

  #keeps(exchange: Exchange, failed: boolean): boolean {
    const { enabled, sample = 1, skipStatus = [], skipsPath, failures } = this.#options;
    const { status } = exchange;
    // Without the access log its failures have no other line.
    if (!enabled) return failed && failures === undefined;
    if (skipStatus.length > 0 && within(status, skipStatus)) return false;
    if (failed) return true;
    if (skipsPath?.(exchange.path) === true) return false;
    return sample >= 1 || status >= 400 || Math.random() < sample;
  }
}

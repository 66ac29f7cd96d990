/**
 * The access log: one line for each exchange.
 *
 * @module
 */

import type { WrittenText } from "./line_batch.ts";
import { plainText } from "./printable.ts";
import { shownQuery, shownTarget } from "./shown_query.ts";

/** The content of an access log line. */
export interface AccessRecord {
  /** Id of the exchange in all logs. */
  readonly requestId: string;
  /** The same, of ASCII characters that stand for themselves in JSON, as it is written into bytes; undefined where it is not. */
  readonly id?: WrittenText;
  readonly clientAddress: string;
  /** Name of the user who was authenticated; empty or undefined without one. */
  readonly user?: string;
  /** Method as sent. */
  readonly method: string;
  /** Authority as sent. */
  readonly host: string;
  /** Path as sent. */
  readonly path: string;
  /** Query with its `?`, or empty. */
  readonly query: string;
  /** Protocol of the request; undefined for HTTP/1.1 and earlier. */
  readonly protocol?: string | undefined;
  readonly site: string;
  /** Status code; 499 if the client closed the connection first. */
  readonly status: number;
  /** Whether the status is a requested report, as for a readiness check, and not an error. */
  readonly reportsState?: boolean;
  /** Bytes of the body, or of a WebSocket's messages, that were passed to the client's connection. */
  readonly bytes: number;
  /** Bytes of the messages that the client of a WebSocket sent. */
  readonly receivedBytes?: number;
  /** Close code of a WebSocket; 0 or undefined without one. */
  readonly closeCode?: number;
  /** Whether it was an event stream or a long poll, which lasts as long as its client wants. */
  readonly lasting?: boolean;
  /** Duration of the exchange, in milliseconds. */
  readonly durationMs: number;
  /** Time until the upstream's response head arrived, in milliseconds; -1 without one. */
  readonly upstreamMs: number;
  /** URL of the upstream, or empty. */
  readonly upstream: string;
  /** Number of attempts. */
  readonly attempts: number;
  /** Upstream and cause of each failed attempt; undefined if none failed. */
  readonly failures?: readonly string[];
  /** Cause of the failure, or empty. */
  readonly cause: string;
  /** Who caused the failure: `client`, `upstream`, `proxy`, or empty. */
  readonly causeOwner: string;
  /** Referer as sent, or empty. */
  readonly referer: string;
  /** User-Agent as sent, or empty. */
  readonly userAgent: string;
}

/** Severity of an access line. */
export type AccessLevel = "info" | "warn" | "error";

/** A form of access lines. The line has no control characters. */
export type AccessFormat = (record: AccessRecord, level: AccessLevel) => string;

/** Whether an exchange is a failure: a 5xx that does not report a state as it was asked to. */
export function isFailure({ status, reportsState }: AccessRecord): boolean {
  return status >= 500 && reportsState !== true;
}

/** The severity of a line where no duration makes it a warning. */
export function levelOf(record: AccessRecord): AccessLevel {
  return isFailure(record) ? "error" : "info";
}

/** The record in the combined format of Apache and nginx, followed by the values that this format lacks. */
export function combinedAccessLine(record: AccessRecord): string {
  const { cause, closeCode, upstreamMs } = record;
  let line =
    `${commonAccessLine(record)} "${plainText(shownQuery(record.referer))}" "${plainText(record.userAgent)}" ` +
    `${plainText(record.requestId)} "${plainText(record.host)}" ${plainText(record.upstream)} ${record.attempts} ${
      milliseconds(record.durationMs)
    } ` +
    (upstreamMs < 0 ? "-" : milliseconds(upstreamMs));
  if (closeCode) line += ` in=${record.receivedBytes ?? 0} close=${closeCode}`;
  if (cause !== "") line += ` "${record.causeOwner}: ${plainText(cause)}"`;
  return line;
}

/** The record in the common log format (CLF). */
export function commonAccessLine(record: AccessRecord): string {
  const user = record.user ? plainText(record.user).replaceAll(" ", "\\x20") : "-";
  return `${record.clientAddress || "-"} - ${user} [${commonTime()}] ` +
    `"${plainText(record.method)} ${plainText(shownTarget(record.path, record.query))} ` +
    `${record.protocol ?? "HTTP/1.1"}" ${record.status} ${record.bytes}`;
}

/** A duration with three decimals at most. */
export function milliseconds(ms: number): string {
  const us = Math.round(ms * 1000);
  if (us < 0 || us > MAX_INT) return String(us / 1000);
  return ((us / 1000) | 0) + THOUSANDTHS[us % 1000];
}

const MAX_INT = 2 ** 31 - 1;
/** The decimals of a number of thousandths. */
const THOUSANDTHS: readonly string[] = Array.from(
  { length: 1000 },
  (_, count) => count === 0 ? "" : `.${String(count).padStart(3, "0").replace(/0+$/, "")}`,
);

// A time is formatted at most once a millisecond, or once a second.
let lastMs = 0;
let lastIso = "";
let lastSecond = 0;
let lastCommon = "";

/** The time now as RFC 3339 has it, in milliseconds. */
export function isoTime(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastIso = new Date(now).toISOString();
  }
  return lastIso;
}

/** The time now as the common log format has it. */
export function commonTime(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    const iso = new Date(second * 1000).toISOString();
    const [year, month, day] = iso.slice(0, 10).split("-");
    lastCommon = `${day}/${MONTHS[Number(month) - 1]}/${year}:${iso.slice(11, 19)} +0000`;
  }
  return lastCommon;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

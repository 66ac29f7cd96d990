/**
 * The access log: one line for each exchange.
 *
 * @module
 */

import { printable } from "./log.ts";

/** The content of an access log line. */
export interface AccessRecord {
  /** Id of the exchange in all logs. */
  readonly requestId: string;
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

/** The record as one JSON object. Referer and User-Agent are the only header fields in it. */
export function jsonAccessLine(record: AccessRecord): string {
  let line =
    `{"time":"${isoTime()}","level":"${
      record.status >= 500 && record.reportsState !== true ? "error" : "info"
    }","message":"request","request_id":${quoted(record.requestId)},"client":` +
    `"${record.clientAddress}","method":${quoted(record.method)},"host":${quoted(record.host)},"path":` +
    `${quoted(record.path + record.query)}${
      record.protocol === undefined ? "" : `,"protocol":"${record.protocol}"`
    },"site":${quoted(record.site)},"status":${record.status},"bytes":${record.bytes},` +
    `"duration_ms":${round(record.durationMs)}`;
  if (record.attempts > 0) {
    line += `,"upstream":${quoted(record.upstream)},"upstream_ms":` +
      `${record.upstreamMs < 0 ? "null" : round(record.upstreamMs)},"attempts":${record.attempts}`;
  }
  if (record.user) line += `,"user":${quoted(record.user)}`;
  if (record.failures !== undefined) line += `,"failed_attempts":${JSON.stringify(record.failures)}`;
  if (record.closeCode) line += `,"bytes_in":${record.receivedBytes ?? 0},"close_code":${record.closeCode}`;
  if (record.referer !== "") line += `,"referer":${quoted(record.referer)}`;
  if (record.userAgent !== "") line += `,"user_agent":${quoted(record.userAgent)}`;
  if (record.cause !== "") line += `,"cause":${quoted(record.cause)},"cause_owner":"${record.causeOwner}"`;
  return line + "}";
}

/** The record in the combined format of Apache and nginx, followed by the values that this format lacks. */
export function combinedAccessLine(record: AccessRecord): string {
  const text = (value: string) => value === "" ? "-" : printable(value).replaceAll('"', "\\x22");
  const user = text(record.user ?? "").replaceAll(" ", "\\x20");
  let line = `${record.clientAddress || "-"} - ${user} [${combinedTime()}] "${text(record.method)} ` +
    `${text(record.path + record.query)} ${record.protocol ?? "HTTP/1.1"}" ${record.status} ${record.bytes} "${
      text(record.referer)
    }" ` +
    `"${text(record.userAgent)}" ${text(record.requestId)} "${text(record.host)}" ${text(record.upstream)} ` +
    `${record.attempts} ${round(record.durationMs)} ${record.upstreamMs < 0 ? "-" : round(record.upstreamMs)}`;
  if (record.closeCode) line += ` in=${record.receivedBytes ?? 0} close=${record.closeCode}`;
  if (record.cause !== "") line += ` "${record.causeOwner}: ${text(record.cause)}"`;
  return line;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

// A time is formatted at most once a millisecond.
let lastMs = 0;
let lastIso = "";

function isoTime(): string {
  const now = Date.now();
  if (now !== lastMs) {
    lastMs = now;
    lastIso = new Date(now).toISOString();
  }
  return lastIso;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function combinedTime(): string {
  const now = new Date();
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}:${two(now.getUTCHours())}:` +
    `${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())} +0000`;
}

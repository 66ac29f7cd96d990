/**
 * The access log: one line for each exchange.
 *
 * @module
 */

import { printable } from "./log.ts";

/** What an access line tells. */
export interface AccessRecord {
  /** Name of the exchange in all logs. */
  readonly requestId: string;
  /** The client's address. */
  readonly clientAddress: string;
  /** Method as sent. */
  readonly method: string;
  /** Authority as sent. */
  readonly host: string;
  /** Path as sent. */
  readonly path: string;
  /** Query with its `?`, or empty. */
  readonly query: string;
  /** Name of the site. */
  readonly site: string;
  /** Status; 499 when the client left first. */
  readonly status: number;
  /** Whether that status is what was asked for, as of a readiness check, and no error. */
  readonly tellsState?: boolean;
  /** Bytes of body, or of a WebSocket's messages, handed over. */
  readonly bytes: number;
  /** Bytes of message that the client of a WebSocket sent. */
  readonly receivedBytes?: number;
  /** Code that a WebSocket was closed with; 0 or undefined where there was no WebSocket. */
  readonly closeCode?: number;
  /** From start to end, in milliseconds. */
  readonly durationMs: number;
  /** Time to the upstream's head, in milliseconds; -1 without one. */
  readonly upstreamMs: number;
  /** URL of the upstream, or empty. */
  readonly upstream: string;
  /** Attempts made. */
  readonly attempts: number;
  /** Attempts that failed, upstream and cause of each; undefined when none did. */
  readonly failures?: readonly string[];
  /** Why it failed, or empty. */
  readonly cause: string;
  /** Who caused that: `client`, `upstream`, `proxy`, or empty. */
  readonly causeOwner: string;
  /** Referer as sent, or empty. */
  readonly referer: string;
  /** User-Agent as sent, or empty. */
  readonly userAgent: string;
}

/** The record as one JSON object. No header but Referer and User-Agent is ever in it. */
export function jsonAccessLine(record: AccessRecord): string {
  let line =
    `{"time":"${isoTime()}","level":"${
      record.status >= 500 && record.tellsState !== true ? "error" : "info"
    }","message":"request","request_id":${quoted(record.requestId)},"client":` +
    `"${record.clientAddress}","method":${quoted(record.method)},"host":${quoted(record.host)},"path":` +
    `${quoted(record.path + record.query)},"site":${
      quoted(record.site)
    },"status":${record.status},"bytes":${record.bytes},` +
    `"duration_ms":${round(record.durationMs)}`;
  if (record.attempts > 0) {
    line += `,"upstream":${quoted(record.upstream)},"upstream_ms":` +
      `${record.upstreamMs < 0 ? "null" : round(record.upstreamMs)},"attempts":${record.attempts}`;
  }
  if (record.failures !== undefined) line += `,"failed_attempts":${JSON.stringify(record.failures)}`;
  if (record.closeCode) line += `,"bytes_in":${record.receivedBytes ?? 0},"close_code":${record.closeCode}`;
  if (record.referer !== "") line += `,"referer":${quoted(record.referer)}`;
  if (record.userAgent !== "") line += `,"user_agent":${quoted(record.userAgent)}`;
  if (record.cause !== "") line += `,"cause":${quoted(record.cause)},"cause_owner":"${record.causeOwner}"`;
  return line + "}";
}

/** The record in the combined format of Apache and nginx, with what that format lacks behind it. */
export function combinedAccessLine(record: AccessRecord): string {
  const text = (value: string) => value === "" ? "-" : printable(value).replaceAll('"', "\\x22");
  let line = `${record.clientAddress || "-"} - - [${combinedTime()}] "${text(record.method)} ` +
    `${text(record.path + record.query)} HTTP/1.1" ${record.status} ${record.bytes} "${text(record.referer)}" ` +
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

// A date is put into words once a millisecond at the most.
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

/**
 * The head of a response as fields of HTTP/2 (RFC 9113, section 8.3.2).
 *
 * @module
 */

import type { HttpResponse } from "../../http/message.ts";
import type { HpackEncoder } from "../../http2/hpack_encoder.ts";

/** What follows a head. */
export interface FollowingBody {
  /** Whether anything does. */
  readonly has: boolean;
  /** Its length, as far as it is announced; else -1. */
  readonly length: number;
}

/** The body that follows the head of `response`. */
export function followingBody({ status, headers, body }: HttpResponse, method: string): FollowingBody {
  const declared = declaredLength(headers);
  if (method === "HEAD" || status === 304) {
    const bytes = body instanceof Uint8Array && status !== 304 ? body.length : -1;
    return { has: false, length: declared >= 0 ? declared : bytes };
  }
  if (status === 204) return { has: false, length: -1 };
  if (status === 205 || body === null) return { has: false, length: 0 };
  if (body instanceof Uint8Array) return { has: body.length > 0, length: body.length };
  return { has: true, length: declared };
}

/**
 * Whether the lines can be sent. The last defence against what splits responses further on: everything that is sent was
 * checked where it came in.
 */
export function sendable(lines: readonly string[]): boolean {
  for (let i = 0; i < lines.length; i++) if (lines[i].includes("\n") || lines[i].includes("\r")) return false;
  return true;
}

/** Adds the fields of a final response, with Date and Content-Length. */
export function addFields(encoder: HpackEncoder, status: number, lines: readonly string[], length: number): void {
  encoder.field(":status", STATUSES[status] ?? String(status));
  if (!addLines(encoder, lines)) encoder.field("date", httpDate());
  if (length >= 0) encoder.field("content-length", String(length));
}

/**
 * Adds header lines, without those of a connection of HTTP/1.1 (section 8.2.2) and Content-Length.
 *
 * @returns Whether there is a Date.
 */
export function addLines(encoder: HpackEncoder, lines: readonly string[]): boolean {
  let dated = false;
  for (let i = 0; i < lines.length; i += 2) {
    const name = lowerName(lines[i]);
    // Most names are told apart by their length alone.
    switch (name.length) {
      case 4:
        dated ||= name === "date";
        break;
      case 7:
        if (name === "upgrade") continue;
        break;
      case 10:
        if (name === "connection" || name === "keep-alive") continue;
        break;
      case 14:
        if (name === "content-length") continue;
        break;
      case 16:
        if (name === "proxy-connection") continue;
        break;
      case 17:
        if (name === "transfer-encoding") continue;
        break;
    }
    encoder.field(name, lines[i + 1]);
  }
  return dated;
}

/** The name in lower case: the same text each time, so that the encoder finds it quickly. */
function lowerName(name: string): string {
  const known = LOWER.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  // Upstreams choose names.
  if (LOWER.size < MAX_NAMES) LOWER.set(name, lower);
  return lower;
}

const LOWER = new Map<string, string>();
const MAX_NAMES = 512;

function declaredLength(lines: readonly string[]): number {
  for (let i = 0; i < lines.length; i += 2) {
    if (lines[i].length === 14 && lines[i].toLowerCase() === "content-length") return Number(lines[i + 1]);
  }
  return -1;
}

const STATUSES: readonly string[] = Array.from({ length: 600 }, (_, status) => String(status));

let date = "";
let dateSecond = -1;

/** The value of Date (RFC 9110, section 6.6.1), formatted once a second. */
function httpDate(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(second * 1000).toUTCString();
  }
  return date;
}

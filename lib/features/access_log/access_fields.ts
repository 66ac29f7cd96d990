/**
 * The fields of access lines: those of the format `json`, by their names there, with their names in W3C extended log files.
 *
 * @module
 */

import { type AccessRecord, isoTime, milliseconds } from "../../log/access_line.ts";
import { shownQuery, shownTarget } from "../../log/shown_query.ts";
import type { LogValue } from "./log_text.ts";

/** A field. */
export interface AccessField {
  readonly value: LogValue;
  /**
   * Whether the value stands in JSON as it is: a number, or a list.
   *
   * @default {false}
   */
  readonly bare?: boolean;
  /** Its identifiers in W3C extended log files; empty where it has none. */
  readonly w3c: readonly { readonly name: string; readonly value: LogValue }[];
}

const attempted = (value: LogValue): LogValue => (exchange, level) =>
  exchange.attempts > 0 ? value(exchange, level) : "";
const durationOf = (ms: number) => ms < 0 ? "" : milliseconds(ms);
/** W3C's durations are in seconds. */
const secondsOf = (ms: number) => ms < 0 ? "" : (ms / 1000).toFixed(3);

/** The fields. `failed_attempts` is a list, and in no other format. */
export const ACCESS_FIELDS: Readonly<Record<string, AccessField>> = {
  time: {
    value: isoTime,
    w3c: [{ name: "date", value: () => isoTime().slice(0, 10) }, {
      name: "time",
      value: () => isoTime().slice(11, 19),
    }],
  },
  level: text("x-level", (_, level) => level),
  message: { value: () => "request", w3c: [] },
  request_id: text("x-request-id", ({ requestId }) => requestId),
  client: text("c-ip", ({ clientAddress }) => clientAddress),
  method: text("cs-method", ({ method }) => method),
  host: text("cs-host", ({ host }) => host),
  path: {
    value: ({ path, query }) => shownTarget(path, query),
    w3c: [
      { name: "cs-uri-stem", value: ({ path }) => path },
      { name: "cs-uri-query", value: ({ query }) => shownQuery(query).slice(1) },
    ],
  },
  protocol: text("cs-version", ({ protocol }) => protocol ?? "HTTP/1.1"),
  site: text("x-site", ({ site }) => site),
  route: text("x-route", ({ route }) => route),
  status: number("sc-status", ({ status }) => String(status)),
  bytes: number("sc-bytes", ({ bytes }) => String(bytes)),
  duration_ms: {
    ...number("", ({ durationMs }) => durationOf(durationMs)),
    w3c: [{ name: "time-taken", value: ({ durationMs }) => secondsOf(durationMs) }],
  },
  upstream: text("x-upstream", attempted(({ upstream }) => upstream)),
  upstream_ms: {
    ...number("", ({ upstreamMs }) => durationOf(upstreamMs)),
    w3c: [{ name: "x-upstream-time", value: ({ upstreamMs }) => secondsOf(upstreamMs) }],
  },
  attempts: number("x-attempts", attempted(({ attempts }) => String(attempts))),
  user: text("cs-username", ({ user }) => user),
  failed_attempts: {
    ...{ value: ({ failures }) => failures === undefined ? "" : JSON.stringify(failures) },
    ...{ bare: true, w3c: [] },
  },
  bytes_in: number("cs-bytes", (exchange) => socketOnly(exchange, String(exchange.receivedBytes))),
  close_code: number("x-close-code", (exchange) => socketOnly(exchange, String(exchange.closeCode))),
  referer: text("cs(Referer)", ({ referer }) => shownQuery(referer)),
  user_agent: text("cs(User-Agent)", ({ userAgent }) => userAgent),
  cause: text("x-cause", ({ cause }) => cause),
  cause_owner: text("x-cause-owner", ({ causeOwner }) => causeOwner),
};

/** The fields of W3C extended log files where the config names none. */
export const W3C_FIELDS: readonly string[] = [
  ...["time", "client", "user", "method", "host", "path", "protocol", "status", "bytes", "duration_ms", "referer"],
  ...["user_agent", "request_id", "site", "upstream", "upstream_ms", "cause"],
];

function text(w3c: string, value: LogValue): AccessField {
  return { value, w3c: [{ name: w3c, value }] };
}

function number(w3c: string, value: LogValue): AccessField {
  return { ...text(w3c, value), bare: true };
}

function socketOnly({ closeCode }: AccessRecord, value: string): string {
  return closeCode === 0 ? "" : value;
}

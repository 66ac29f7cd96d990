/**
 * The table `rate_limit`.
 *
 * @module
 */

import type { z } from "zod";
import { MOST_IN_FLIGHT } from "./in_flight_store.ts";
import { type Fault, flag, integer, judged, list, network, table } from "../../config/fields.ts";

const RATE = 'a rate such as "5/s", "100/m" or "1000/h"';
const KEY = '"address", "user", "route", "header:NAME" or "cookie:NAME"';
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The keys of `rate_limit`. */
export const rateLimitKeys = table({
  enabled: flag().default(true).describe("Whether the limit holds."),
  rate: judged(rateFault, RATE, "^\\d+(\\.\\d+)?/(\\d+)?[smhd]$").optional().describe(
    'Requests that are let through in the long run, such as "5/s", "100/m" or "10/30s"; each one above gets 429.',
  ),
  max_in_flight: integer(1, MOST_IN_FLIGHT).optional().describe(
    "Requests that may be under way at a time, with their responses and as WebSockets; each one above gets 429.",
  ),
  burst: integer(1, 1_000_000).optional().describe(
    "Requests that may come at once after a pause; default: those of one second, at least 1.",
  ),
  key: judged(keyFault, KEY).default("address").describe(
    'What is counted by itself: "address" of the client (IPv6 by /64), "user" of basic_auth, jwt or forward_auth, "header:NAME", "cookie:NAME" (a ' +
      'request without it counts by address), or "route" for all clients together.',
  ),
  exempt: list(network()).prefault([]).describe("Addresses and networks that are not limited."),
  max_keys: integer(16, 4_194_304).default(65_536).describe(
    "How many keys are remembered; of more, those are forgotten whose last request is longest ago. 8 bytes each, for all workers.",
  ),
  dry_run: flag().default(false).describe("Whether the limit is only logged."),
});

/** `rate_limit`, after defaults. */
export type RateLimitConfig = z.output<typeof rateLimitKeys>;

/** A rate: that many requests in that many milliseconds. Text is one that the schema has let through. */
export function parseRate(rate: string): { readonly requests: number; readonly periodMs: number } {
  const [, requests, count = "1", unit] = RATE_PATTERN.exec(rate) ?? [];
  return { requests: Number(requests), periodMs: Number(count) * UNIT_MS[unit] };
}

const RATE_PATTERN = /^(\d+(?:\.\d+)?)\/(\d+)?([smhd])$/;

function rateFault(value: string): Fault | undefined {
  if (RATE_PATTERN.test(value)) {
    const { requests, periodMs } = parseRate(value);
    if (requests > 0 && periodMs > 0 && periodMs / requests <= UNIT_MS.d && requests / periodMs <= 100) {
      return undefined;
    }
    return { expected: `${RATE}, of 1/d to 100000/s` };
  }
  const words = /^(\d+)\s*(?:\/|r\/|requests? per|per|req\/)\s*(s|sec|second|m|min|minute|h|hour|d|day)s?$/i.exec(
    value,
  );
  return { expected: RATE, suggestion: words === null ? undefined : `${words[1]}/${words[2][0].toLowerCase()}` };
}

function keyFault(value: string): Fault | undefined {
  if (
    value === "address" || value === "route" || value === "user" ||
    /^(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value)
  ) {
    return undefined;
  }
  return {
    expected: KEY,
    suggestion: /^(?:ip|client|client_ip|remote_addr|remote_ip)$/i.test(value) ? "address" : undefined,
  };
}

/**
 * When a certificate is renewed, and when an order that failed is tried again.
 *
 * @module
 */

import type { ServerCertificate } from "../tls/certificate.ts";

/** When an authority suggests to renew a certificate (RFC 9773, section 4.2). */
export interface RenewalWindow {
  readonly startMs: number;
  readonly endMs: number;
  /** When to ask again. */
  readonly askAgainAtMs: number;
}

/** Lifetimes below this are renewed after half of their time, as authorities ask for. */
const SHORT_LIFETIME_MS = 10 * 86_400_000;

/**
 * When to renew a certificate of which the authority suggests nothing: after two thirds of its time, up to a thirtieth of
 * it later, so that certificates of one day are not renewed in one moment.
 *
 * @param random From 0 to 1.
 */
export function renewalTime(
  { notBeforeMs, notAfterMs }: Pick<ServerCertificate, "notBeforeMs" | "notAfterMs">,
  random = Math.random(),
): number {
  const lifetimeMs = notAfterMs - notBeforeMs;
  const share = lifetimeMs < SHORT_LIFETIME_MS ? 1 / 2 : 2 / 3;
  return notBeforeMs + lifetimeMs * (share + random / 30);
}

/** A time of the window, any with the same likelihood (RFC 9773, section 4.2). */
export function timeInWindow({ startMs, endMs }: RenewalWindow, random = Math.random()): number {
  return startMs + (endMs - startMs) * random;
}

/** How long to wait after an order. */
export interface OrderPauses {
  /** After the first failure to reach the authority, or of its own. Doubles with each, up to an hour. */
  readonly authorityMs: number;
  /** After the first failure that the authority found in the name, its DNS or its server. Doubles, up to a day. */
  readonly nameMs: number;
  /** Shortest time from an order that succeeded to the next, whatever the authority suggests. */
  readonly renewalMs: number;
}

/** Authorities count failed challenges of a name: Let's Encrypt takes five an hour. */
export const ORDER_PAUSES: OrderPauses = { authorityMs: 10_000, nameMs: 5 * 60_000, renewalMs: 60 * 60_000 };

const LONGEST_AUTHORITY_MS = 60 * 60_000;
const LONGEST_NAME_MS = 24 * 60 * 60_000;

/**
 * How long to wait before the next try.
 *
 * @param failures How many there were in a row, from 1.
 * @param concernsName Whether the name was found at fault.
 * @param random From 0 to 1: up to a fifth is added.
 */
export function retryPauseMs(
  failures: number,
  concernsName: boolean,
  { authorityMs, nameMs }: Pick<OrderPauses, "authorityMs" | "nameMs"> = ORDER_PAUSES,
  random = Math.random(),
): number {
  const [first, longest] = concernsName ? [nameMs, LONGEST_NAME_MS] : [authorityMs, LONGEST_AUTHORITY_MS];
  return Math.min(first * 2 ** Math.min(failures - 1, 30), longest) * (1 + random / 5);
}

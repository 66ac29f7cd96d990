/**
 * Conditional requests, in the order of precedence of RFC 9110, section 13.2.2.
 *
 * @module
 */

import { stronglyListed, weaklyListed } from "./entity_tag.ts";
import { parseHttpDate } from "./http_date.ts";
import type { Representation } from "./representation.ts";
import type { RequestFields } from "./request_fields.ts";

/**
 * The status code that the preconditions of a GET or HEAD give: 200 if they are met. An invalid date is ignored
 * (sections 13.1.3 and 13.1.4).
 *
 * @param fields The request's fields.
 * @param representation The representation that would be sent.
 * @param nowMs The current time in milliseconds since 1970.
 */
export function checkPreconditions(
  fields: RequestFields,
  representation: Representation,
  nowMs: number,
): 200 | 304 | 412 {
  const { entityTag, lastModified, lastModifiedMs } = representation;
  if (fields.ifMatch !== undefined) {
    if (!stronglyListed(fields.ifMatch, entityTag)) return 412;
  } else if (fields.ifUnmodifiedSince !== undefined && lastModifiedMs !== undefined) {
    const sinceMs = parseHttpDate(fields.ifUnmodifiedSince, nowMs);
    if (sinceMs !== undefined && lastModifiedMs > sinceMs) return 412;
  }
  if (fields.ifNoneMatch !== undefined) return weaklyListed(fields.ifNoneMatch, entityTag) ? 304 : 200;
  if (fields.ifModifiedSince !== undefined && lastModifiedMs !== undefined) {
    if (fields.ifModifiedSince === lastModified) return 304; // what browsers send
    const sinceMs = parseHttpDate(fields.ifModifiedSince, nowMs);
    if (sinceMs !== undefined && lastModifiedMs <= sinceMs) return 304;
  }
  return 200;
}

/**
 * Whether Range applies: If-Range is missing, or matches exactly this representation (section 13.1.5). A weak tag never
 * matches, and a date only if the file had not changed for a second, since two changes can be in one second.
 *
 * @param ifRange Value of If-Range.
 * @param representation The representation that would be sent.
 * @param nowMs The current time in milliseconds since 1970.
 */
export function rangeApplies(ifRange: string | undefined, representation: Representation, nowMs: number): boolean {
  if (ifRange === undefined) return true;
  const { entityTag, lastModifiedMs } = representation;
  const validator = ifRange.trim();
  if (validator.startsWith('"')) return validator === entityTag;
  if (lastModifiedMs === undefined) return false;
  return parseHttpDate(validator, nowMs) === lastModifiedMs && nowMs - lastModifiedMs >= STRONG_DATE_MS;
}

/** Two seconds, because Last-Modified itself drops fractions of a second. */
const STRONG_DATE_MS = 2000;

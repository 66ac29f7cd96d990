/**
 * Whether a client prefers HTML or JSON, by its Accept field (RFC 9110, section 12.5.1).
 *
 * @module
 */

// @ts-types="../../types/std/http-negotiation.d.ts"
import { accepts } from "@std/http/negotiation";

const HTML = "text/html";
const JSON_TYPE = "application/json";

/**
 * Longer values are ignored: browsers send a few dozen characters, and the parse time grows with the square of the
 * number of types.
 */
const ACCEPT_MAX_LENGTH = 1024;

/**
 * The form that a client prefers.
 *
 * @param accept Value of the Accept field; undefined or empty if the request has none.
 * @param fallback Form for clients without a preference and for clients that accept neither.
 */
export function acceptedForm(accept: string | undefined, fallback: "html" | "json"): "html" | "json" {
  if (accept === undefined || accept === "" || accept.length > ACCEPT_MAX_LENGTH) return fallback;
  const types = fallback === "html" ? [HTML, JSON_TYPE] : [JSON_TYPE, HTML];
  const type = accepts({ headers: { get: () => accept } }, ...types);
  return type === undefined ? fallback : type === HTML ? "html" : "json";
}

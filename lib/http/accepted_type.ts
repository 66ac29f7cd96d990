/**
 * Whether a client wants a page or JSON, by its Accept field (RFC 9110, section 12.5.1).
 *
 * @module
 */

// @ts-types="../../types/std/http-negotiation.d.ts"
import { accepts } from "@std/http/negotiation";

const HTML = "text/html";
const JSON_TYPE = "application/json";

/** Browsers send a few dozen characters. The time of reading grows with the square of the number of types. */
const ACCEPT_MAX_LENGTH = 1024;

/**
 * The form that a client wants.
 *
 * @param accept Value of Accept; undefined or empty without one.
 * @param otherwise The form for those who have no preference, and for those who want neither.
 */
export function acceptedForm(accept: string | undefined, otherwise: "html" | "json"): "html" | "json" {
  if (accept === undefined || accept === "" || accept.length > ACCEPT_MAX_LENGTH) return otherwise;
  const types = otherwise === "html" ? [HTML, JSON_TYPE] : [JSON_TYPE, HTML];
  const type = accepts({ headers: { get: () => accept } }, ...types);
  return type === undefined ? otherwise : type === HTML ? "html" : "json";
}

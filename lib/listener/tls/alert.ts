/**
 * Alerts (RFC 8446, section 6) that end a connection before its handshake has begun.
 *
 * @module
 */

/** Alerts by their names in the RFC. */
const DESCRIPTIONS = {
  decode_error: 50,
  protocol_version: 70,
  internal_error: 80,
  unrecognized_name: 112,
} as const;

/** Name of an alert. */
export type AlertName = keyof typeof DESCRIPTIONS;

/** The record of a fatal alert, in clear. */
export function fatalAlert(name: AlertName): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(ALERT, 3, 3, 0, 2, FATAL, DESCRIPTIONS[name]);
}

const ALERT = 21;
const FATAL = 2;

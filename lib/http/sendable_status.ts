/**
 * Statuses that a client can be sent.
 *
 * @module
 */

/**
 * The status for a client of an answer with `status`. Those above 599 are invalid (RFC 9110, section 15), and the runtime
 * cannot send them: the answer goes on as 502, with its header fields and its body.
 */
export function sendableStatus(status: number): number {
  return status > 599 ? 502 : status;
}

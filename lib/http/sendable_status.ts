/**
 * Status codes that can be sent to a client.
 *
 * @module
 */

/**
 * The status code to send for a response with `status`. Codes above 599 are invalid (RFC 9110, section 15), and the
 * runtime cannot send them: such a response is sent as 502, with its header fields and its body.
 */
export function sendableStatus(status: number): number {
  return status > 599 ? 502 : status;
}

/**
 * How a WebSocket ended, in the words of its Close frame (RFC 6455, section 7.4).
 *
 * @module
 */

/** What a Close frame says. */
export interface CloseStatus {
  /** Its code, or {@linkcode NO_CODE} where it has none. */
  readonly code: number;
  /** Its reason, at most 123 bytes of UTF-8; empty where it has none. */
  readonly reason: string;
}

/** Stands for a Close frame without a code; never on the wire. */
export const NO_CODE = 1005;

/** Stands for an end without a Close frame; never on the wire. */
export const ABNORMAL = 1006;

/** Going away: what the upstream is told when its client is gone, and both sides when the proxy stops. */
export const GOING_AWAY = 1001;

/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;

/** A text message is not UTF-8. */
export const INVALID_TEXT = 1007;

/** A message is larger than allowed. */
export const TOO_LARGE = 1009;

/** Try again later: a side takes messages slower than they come, for too long. */
export const TRY_AGAIN_LATER = 1013;

/** Bad gateway: the upstream ended without a Close frame, or broke the protocol. */
export const BAD_GATEWAY = 1014;

/**
 * Whether a Close frame may carry `code`. 1004 has no meaning, 1005, 1006 and 1015 are for reports alone, and what lies
 * between 1016 and 2999 is for extensions, of which there are none (RFC 6455, section 7.4.2, and the IANA registry).
 */
export function validCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

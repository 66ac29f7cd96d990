/**
 * Close codes and reasons of WebSockets (RFC 6455, section 7.4).
 *
 * @module
 */

/** The content of a Close frame. */
export interface CloseStatus {
  /** The code, or {@linkcode NO_CODE} without one. */
  readonly code: number;
  /** The reason, at most 123 bytes of UTF-8; empty without one. */
  readonly reason: string;
}

/** Represents a Close frame without a code; never sent. */
export const NO_CODE = 1005;

/** Represents an end without a Close frame; never sent. */
export const ABNORMAL = 1006;

/** Going away: sent to the upstream when its client has disconnected, and to both sides when the proxy stops. */
export const GOING_AWAY = 1001;

/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;

/** A text message is not UTF-8. */
export const INVALID_TEXT = 1007;

/** A message is larger than allowed. */
export const TOO_LARGE = 1009;

/** Try again later: a side has accepted messages more slowly than they arrive for too long. */
export const TRY_AGAIN_LATER = 1013;

/** Bad gateway: the upstream ended without a Close frame, or broke the protocol. */
export const BAD_GATEWAY = 1014;

/**
 * Whether a Close frame may have `code`. 1004 is undefined, 1005, 1006 and 1015 are only for reports, and 1016 to 2999
 * are for extensions, of which there are none (RFC 6455, section 7.4.2, and the IANA registry).
 */
export function validCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

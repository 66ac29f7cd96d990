/**
 * The error of the codec: bytes that are no HTTP/1.1 message. Whoever feeds it says what that means: 502 where an upstream
 * sent them, 400 where a client did.
 *
 * @module
 */

/** Which rule a message breaks, as far as a server responds with different statuses. */
export type MalformedKind =
  /** It does not follow the grammar, or can be read in two ways. */
  | "syntax"
  /** A request's version is not HTTP/1.0 or HTTP/1.1. */
  | "version"
  /** Its Transfer-Encoding is not `chunked` alone. */
  | "coding"
  /** Its Content-Length is larger than can be counted exactly. */
  | "length";

/** A message that is not HTTP/1.1. Its `message` says what is wrong, as in "its head holds a control character (0x00)". */
export class MalformedMessage extends Error {
  /** Which rule it breaks. */
  readonly kind: MalformedKind;
  override readonly name = "MalformedMessage";

  /** @param what What is wrong. */
  constructor(what: string, kind: MalformedKind = "syntax") {
    super(what);
    this.kind = kind;
  }
}

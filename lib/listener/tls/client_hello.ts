/**
 * The first message of a TLS connection (RFC 8446, section 4.1.2), read before the handshake, because the certificate
 * and the rules depend on the name in it.
 *
 * @module
 */

/** What a client asks for. */
export interface ClientHello {
  /** Host name (RFC 6066, section 3) in lower case, without a dot at its end; empty where none is named. */
  readonly serverName: string;
  /** Protocols for ALPN (RFC 7301), the preferred one first, one character a byte. */
  readonly protocols: readonly string[];
  /** Highest version that is offered, as in the protocol: 0x0303 is TLS 1.2, 0x0304 TLS 1.3. */
  readonly version: number;
}

/** Why bytes are no ClientHello. */
export type HelloFault =
  /** They look like HTTP in clear. */
  | "clear_http"
  /** They are not TLS, or a message that the RFC does not allow here. */
  | "malformed"
  /** It has more bytes, or is in more pieces, than any client sends. */
  | "too_large";

/** The message, undefined where more bytes are needed, or why there is none. */
export type HelloReading = ClientHello | HelloFault | undefined;

/** Most bytes of the message, and of what has arrived in front of its end. */
export const MAX_HELLO_BYTES: number = 16 * 1024;
/** Most records that it may be in. */
const MAX_RECORDS = 32;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const TLS_1_3 = 0x0304;

/**
 * Reads a ClientHello from the beginning of `bytes[start … end)`, the first bytes of a connection. What stands behind
 * it is not looked at.
 */
export function readClientHello(bytes: Uint8Array, start: number, end: number): HelloReading {
  if (start === end) return undefined;
  if (bytes[start] !== HANDSHAKE) return isLetter(bytes[start]) ? "clear_http" : "malformed";
  const fragments: Uint8Array[] = [];
  let collected = 0;
  let wanted = 4;
  for (let at = start; collected < wanted;) {
    const left = end - at;
    if (left >= 1 && bytes[at] !== HANDSHAKE) return "malformed";
    if (left >= 2 && bytes[at + 1] !== 3) return "malformed";
    if (left < 5) return undefined;
    const length = bytes[at + 3] << 8 | bytes[at + 4];
    // Fragments of no bytes are not allowed (RFC 8446, section 5.1).
    if (length === 0) return "malformed";
    if (length > MAX_HELLO_BYTES || fragments.length === MAX_RECORDS) return "too_large";
    const fragment = bytes.subarray(at + 5, Math.min(end, at + 5 + length));
    fragments.push(fragment);
    const before = collected;
    collected += fragment.length;
    if (before === 0 && fragment.length > 0 && fragment[0] !== CLIENT_HELLO) return "malformed";
    if (before < 4 && collected >= 4) {
      const head = fragments.length === 1 ? fragment : joined(fragments, 4);
      wanted = 4 + (head[1] << 16 | head[2] << 8 | head[3]);
      if (wanted > MAX_HELLO_BYTES) return "too_large";
    }
    if (fragment.length < length && collected < wanted) return undefined;
    at += 5 + length;
  }
  // Another message behind it in its record would be sent before the server's (RFC 8446, section 5.1).
  if (collected > wanted) return "malformed";
  const message = fragments.length === 1 ? fragments[0] : joined(fragments, wanted);
  return new HelloReader(message, 4, wanted).read() ?? "malformed";
}

/** Reads the content of the message; undefined stands for a message that is malformed. */
class HelloReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  read(): ClientHello | undefined {
    const version = this.#uint16();
    this.#skip(32);
    const sessionId = this.#part(1);
    const suites = this.#part(2);
    const compressions = this.#part(1);
    if (version < 0x0300 || sessionId === undefined || sessionId.length > 32) return undefined;
    if (suites === undefined || suites.length === 0 || suites.length % 2 === 1) return undefined;
    if (compressions === undefined || compressions.length === 0) return undefined;
    let serverName = "";
    let protocols: readonly string[] = [];
    let offered = Math.min(version, TLS_1_3 - 1);
    if (this.#at < this.#end) {
      const extensions = this.#part(2);
      if (extensions === undefined || this.#at !== this.#end) return undefined;
      const reader = new HelloReader(extensions, 0, extensions.length);
      const types = new Set<number>();
      while (reader.#at < reader.#end) {
        const type = reader.#uint16();
        const data = reader.#part(2);
        if (data === undefined || types.has(type)) return undefined;
        types.add(type);
        if (type === SERVER_NAME) {
          const name = nameOf(data);
          if (name === undefined) return undefined;
          serverName = name;
        } else if (type === ALPN) {
          const list = protocolsOf(data);
          if (list === undefined) return undefined;
          protocols = list;
        } else if (type === SUPPORTED_VERSIONS) {
          const highest = highestOf(data);
          if (highest === undefined) return undefined;
          offered = highest;
        }
      }
    }
    return { serverName, protocols, version: offered };
  }

  /** The bytes behind a length of `size` bytes. */
  #part(size: 1 | 2): Uint8Array | undefined {
    const length = size === 1 ? this.#uint8() : this.#uint16();
    if (length < 0 || this.#at + length > this.#end) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #uint8(): number {
    return this.#at < this.#end ? this.#bytes[this.#at++] : -1;
  }

  #uint16(): number {
    if (this.#at + 2 > this.#end) return -1;
    this.#at += 2;
    return this.#bytes[this.#at - 2] << 8 | this.#bytes[this.#at - 1];
  }

  // Behind the end, so that whatever is read next fails.
  #skip(count: number): void {
    this.#at += count;
  }
}

/** The host name of server_name; empty for an IP address, which has no place there. */
function nameOf(data: Uint8Array): string | undefined {
  if (data.length < 5 || (data[0] << 8 | data[1]) !== data.length - 2) return undefined;
  // One name of the only type that there is.
  if (data[2] !== 0 || (data[3] << 8 | data[4]) !== data.length - 5) return undefined;
  const name = latin1(data.subarray(5)).toLowerCase().replace(/\.$/, "");
  if (name.length > 253 || !HOST_NAME.test(name)) return undefined;
  return IPV4.test(name) ? "" : name;
}

function protocolsOf(data: Uint8Array): string[] | undefined {
  if (data.length < 4 || (data[0] << 8 | data[1]) !== data.length - 2) return undefined;
  const names: string[] = [];
  for (let at = 2; at < data.length;) {
    const length = data[at];
    if (length === 0 || at + 1 + length > data.length) return undefined;
    names.push(latin1(data.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return names;
}

function highestOf(data: Uint8Array): number | undefined {
  if (data.length < 3 || data[0] !== data.length - 1 || data[0] % 2 === 1) return undefined;
  let highest = 0;
  for (let at = 1; at < data.length; at += 2) {
    // Others are reserved, for GREASE (RFC 8701) or versions to come.
    if (data[at] === 3) highest = Math.max(highest, data[at] << 8 | data[at + 1]);
  }
  return highest;
}

function joined(fragments: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const fragment of fragments) {
    whole.set(fragment.subarray(0, length - at), at);
    at += Math.min(fragment.length, length - at);
  }
  return whole;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

const HOST_NAME = /^(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

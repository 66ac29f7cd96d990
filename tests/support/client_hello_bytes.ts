/**
 * Composes the first message of a TLS connection, also such as no client sends.
 *
 * @module
 */

/** What it has. */
export interface HelloOptions {
  /** @default {0x0303} */
  readonly version?: number;
  readonly sessionId?: Uint8Array;
  readonly suites?: Uint8Array;
  readonly compressions?: Uint8Array;
  readonly serverName?: string;
  readonly protocols?: readonly string[];
  readonly versions?: readonly number[];
  /** Further extensions; undefined where there are none at all, not even their length. */
  readonly extensions?: readonly (readonly [type: number, data: Uint8Array])[];
  /** Bytes behind everything. */
  readonly trailing?: Uint8Array;
}

/** The handshake message. */
export function clientHello(options: HelloOptions = {}): Uint8Array {
  const { version = 0x0303, sessionId = new Uint8Array(32), suites = Uint8Array.of(0x13, 0x01, 0x13, 0x02) } = options;
  const { compressions = Uint8Array.of(0), serverName, protocols, versions, trailing = new Uint8Array(0) } = options;
  const extensions = [...options.extensions ?? []];
  if (serverName !== undefined) {
    const name = part(2, new TextEncoder().encode(serverName));
    extensions.push([0, part(2, joined(Uint8Array.of(0), name))]);
  }
  if (protocols !== undefined) {
    extensions.push([16, part(2, joined(...protocols.map((one) => part(1, new TextEncoder().encode(one)))))]);
  }
  if (versions !== undefined) extensions.push([43, part(1, joined(...versions.map(uint16)))]);
  const none = "extensions" in options && options.extensions === undefined;
  const list = joined(...extensions.map(([type, data]) => joined(uint16(type), part(2, data))));
  const body = joined(
    uint16(version),
    new Uint8Array(32).fill(0x11),
    part(1, sessionId),
    part(2, suites),
    part(1, compressions),
    none ? new Uint8Array(0) : part(2, list),
    trailing,
  );
  return joined(Uint8Array.of(1, body.length >> 16), uint16(body.length & 0xffff), body);
}

/** A message in records. Their sizes are taken in turn, the last one again and again. */
export function inRecords(message: Uint8Array, ...sizes: number[]): Uint8Array {
  const records: Uint8Array[] = [];
  for (let at = 0, i = 0; at < message.length; i++) {
    const piece = message.subarray(at, at + (sizes[Math.min(i, sizes.length - 1)] ?? message.length));
    records.push(joined(Uint8Array.of(22, 3, 1), part(2, piece)));
    at += piece.length;
  }
  return joined(...records);
}

function part(size: 1 | 2, bytes: Uint8Array): Uint8Array {
  return joined(size === 1 ? Uint8Array.of(bytes.length) : uint16(bytes.length), bytes);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

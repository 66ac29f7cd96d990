/**
 * What a WebSocket client of an echo sends, as bytes.
 *
 * @module
 */

const MASK = [0x5c, 0x12, 0xe7, 0x39];

/** Path of WebSockets. */
export const SOCKET_PATH = "/socket";
/** What messages are made of. */
export const LETTER = 0x61;

/** A handshake of RFC 6455. */
export function socketHandshake(host: string): Uint8Array<ArrayBuffer> {
  const head = `GET ${SOCKET_PATH} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  return new TextEncoder().encode(head);
}

/** A binary message of `size` letters as the client's frame. */
export function maskedFrame(size: number): Uint8Array<ArrayBuffer> {
  const head = frameHead(size, true);
  const frame = new Uint8Array(head.length + 4 + size);
  frame.set(head);
  frame.set(MASK, head.length);
  for (let i = 0; i < size; i++) frame[head.length + 4 + i] = LETTER ^ MASK[i & 3];
  return frame;
}

/** How long the server's frame with the same message is. */
export function frameLength(size: number): number {
  return frameHead(size, false).length + size;
}

function frameHead(size: number, masked: boolean): number[] {
  const mask = masked ? 0x80 : 0;
  if (size < 126) return [0x82, mask | size];
  if (size < 65_536) return [0x82, mask | 126, size >> 8, size & 255];
  return [0x82, mask | 127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255];
}

/**
 * A WebSocket client for an echo, with a codec of its own that costs next to nothing, so that what is measured is not the
 * load.
 *
 * @module
 */

import { type Client, writeAll } from "./http_client.ts";

const LETTER = 0x61;
const MASK = [0x5c, 0x12, 0xe7, 0x39];

/** What is sent and comes back. */
export interface SocketPlan {
  path: string;
  /** Length of a message. */
  messageBytes: number;
}

/** A WebSocket with one message on its way at a time. */
export class SocketClient implements Client {
  readonly closedUnasked = false;
  readonly #port: number;
  readonly #plan: SocketPlan;
  readonly #frame: Uint8Array<ArrayBuffer>;
  readonly #answer: Uint8Array<ArrayBuffer>;
  #conn: Deno.TcpConn | undefined;

  constructor(port: number, plan: SocketPlan) {
    this.#port = port;
    this.#plan = plan;
    this.#frame = maskedFrame(plan.messageBytes);
    this.#answer = new Uint8Array(frameHead(plan.messageBytes, false).length + plan.messageBytes);
  }

  /** Shakes hands, so that the first message need not. @throws {Error} When it is not let in. */
  async open(): Promise<void> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    conn.setNoDelay(true);
    const head = `GET ${this.#plan.path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\nUpgrade: websocket\r\n` +
      "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    await writeAll(conn, new TextEncoder().encode(head));
    const buffer = new Uint8Array(4096);
    let text = "";
    // An echo says nothing by itself, so that nothing follows the head.
    while (!text.endsWith("\r\n\r\n")) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("handshake cut short");
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    if (!text.startsWith("HTTP/1.1 101 ")) throw new Error(`handshake answered with "${text.slice(0, 40)}"`);
    this.#conn = conn;
  }

  async exchange(): Promise<void> {
    if (this.#conn === undefined) await this.open();
    const conn = this.#conn!;
    const writing = writeAll(conn, this.#frame);
    writing.catch(() => {});
    try {
      await this.#readAnswer(conn);
      await writing;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#conn?.close();
    this.#conn = undefined;
  }

  /** Reads one message, which came as one frame. Pings do not come in rounds this short. */
  async #readAnswer(conn: Deno.TcpConn): Promise<void> {
    const buffer = this.#answer;
    let filled = 0;
    while (filled < buffer.length) {
      const count = await conn.read(buffer.subarray(filled));
      if (count === null) throw new Error("socket closed");
      filled += count;
    }
    if (buffer[0] !== 0x82) throw new Error(`frame begins with ${buffer[0]}, expected a whole binary message`);
    if (buffer[buffer.length - 1] !== LETTER) throw new Error("message came back changed");
  }
}

function maskedFrame(size: number): Uint8Array<ArrayBuffer> {
  const head = frameHead(size, true);
  const frame = new Uint8Array(head.length + 4 + size);
  frame.set(head);
  frame.set(MASK, head.length);
  for (let i = 0; i < size; i++) frame[head.length + 4 + i] = LETTER ^ MASK[i & 3];
  return frame;
}

function frameHead(size: number, masked: boolean): number[] {
  const mask = masked ? 0x80 : 0;
  if (size < 126) return [0x82, mask | size];
  if (size < 65_536) return [0x82, mask | 126, size >> 8, size & 255];
  return [0x82, mask | 127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255];
}

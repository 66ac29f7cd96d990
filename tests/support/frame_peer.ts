/**
 * A WebSocket peer that sends exactly the frames, or bytes, that it is told to. It has a codec of its own, so that the
 * product's is not checked by itself.
 *
 * @module
 */

import { header, MessageReader, type ReceivedMessage, text, writeAll } from "./message_reader.ts";

/** A frame as it came. */
export interface Frame {
  opcode: number;
  fin: boolean;
  masked: boolean;
  payload: Uint8Array<ArrayBuffer>;
}

/** How a frame is sent. */
export interface FrameShape {
  fin?: boolean;
  masked?: boolean;
  /** Bits besides fin and opcode in the first byte. */
  reserved?: number;
}

/** One side of a WebSocket. */
export class FramePeer {
  /** Head of the handshake that the other side sent. */
  head: ReceivedMessage | undefined;
  readonly #conn: Deno.Conn;
  readonly #masks: boolean;
  #bytes = new Uint8Array(0);

  /** @param masks Whether it is the client. */
  constructor(conn: Deno.Conn, masks: boolean) {
    this.#conn = conn;
    this.#masks = masks;
  }

  /** Connects to a port of loopback and asks for a WebSocket; `lines` end in CRLF each. */
  static async connect(port: number, target = "/", lines = ""): Promise<FramePeer> {
    const peer = new FramePeer(await Deno.connect({ hostname: "127.0.0.1", port }), true);
    await peer.sendRaw(upgradeRequest(target, lines));
    await peer.readHead();
    return peer;
  }

  /** Reads the head of a handshake. */
  async readHead(): Promise<ReceivedMessage | undefined> {
    let end = -1;
    while (end < 0) {
      if (!await this.#have(this.#bytes.length + 1)) return undefined;
      end = text(this.#bytes).indexOf("\r\n\r\n");
    }
    // Frames may follow at once, and are no text.
    const head = this.#bytes.slice(0, end + 4);
    this.#bytes = this.#bytes.subarray(end + 4);
    let sent = false;
    this.head = await new MessageReader({
      read: (buffer) => {
        if (sent) return Promise.resolve(null);
        sent = true;
        buffer.set(head);
        return Promise.resolve(head.length);
      },
    }).head();
    return this.head;
  }

  /** First line of the other side's handshake. */
  get firstLine(): string {
    return this.head?.firstLine ?? "";
  }

  /** Sends bytes as they are; false when the other side takes no more. */
  sendRaw(value: string | Uint8Array<ArrayBuffer>): Promise<boolean> {
    return writeAll(this.#conn, value);
  }

  /** Sends one frame. */
  send(opcode: number, payload: string | Uint8Array = "", shape: FrameShape = {}): Promise<boolean> {
    return this.sendRaw(frameBytes(opcode, payload, { masked: this.#masks, ...shape }));
  }

  /** Sends a Close frame. */
  sendClose(code?: number, reason = ""): Promise<boolean> {
    const bytes = new TextEncoder().encode(reason);
    return this.send(8, code === undefined ? "" : new Uint8Array([code >> 8, code & 255, ...bytes]));
  }

  /** The next bytes, as they came: so many, or fewer when the connection ended. */
  async raw(count: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.#have(count);
    const bytes = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.subarray(bytes.length);
    return bytes;
  }

  /** The next frame, or undefined when the connection ended. */
  async frame(): Promise<Frame | undefined> {
    if (!await this.#have(2)) return undefined;
    const masked = this.#bytes[1] >= 0x80;
    const short = this.#bytes[1] & 0x7f;
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    const headSize = 2 + extra + (masked ? 4 : 0);
    if (!await this.#have(headSize)) return undefined;
    let size = extra === 0 ? short : 0;
    for (let i = 0; i < extra; i++) size = size * 256 + this.#bytes[2 + i];
    if (!await this.#have(headSize + size)) return undefined;
    const head = this.#bytes.slice(0, headSize);
    const payload = this.#bytes.slice(headSize, headSize + size);
    this.#bytes = this.#bytes.subarray(headSize + size);
    if (masked) payload.forEach((byte, i) => payload[i] = byte ^ head[headSize - 4 + (i & 3)]);
    return { opcode: head[0] & 15, fin: head[0] >= 0x80, masked, payload };
  }

  /** The next frame that is no ping and no pong. */
  async data(): Promise<Frame | undefined> {
    for (;;) {
      const frame = await this.frame();
      if (frame === undefined || (frame.opcode !== 9 && frame.opcode !== 10)) return frame;
    }
  }

  /** The next data frame as text: `text:…`, `binary:…`, `close:code reason`, or `end`. */
  async said(): Promise<string> {
    const frame = await this.data();
    if (frame === undefined) return "end";
    const decoder = new TextDecoder();
    if (frame.opcode === 1) return `text:${decoder.decode(frame.payload)}`;
    if (frame.opcode === 2) return `binary:${[...frame.payload]}`;
    if (frame.opcode !== 8) return `opcode ${frame.opcode}`;
    if (frame.payload.length === 0) return "close:none";
    const code = frame.payload[0] << 8 | frame.payload[1];
    return `close:${code} ${decoder.decode(frame.payload.subarray(2))}`.trim();
  }

  /** Everything until the connection ends, as {@linkcode said} has it. */
  async rest(): Promise<string[]> {
    const all: string[] = [];
    for (let next = await this.said(); next !== "end"; next = await this.said()) all.push(next);
    return all;
  }

  /** Closes the connection. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // Closed already.
    }
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #have(count: number): Promise<boolean> {
    while (this.#bytes.length < count) {
      const buffer = new Uint8Array(256 * 1024);
      const read = await this.#conn.read(buffer).catch(() => null);
      if (read === null) return false;
      const joined = new Uint8Array(this.#bytes.length + read);
      joined.set(this.#bytes);
      joined.set(buffer.subarray(0, read), this.#bytes.length);
      this.#bytes = joined;
    }
    return true;
  }
}

/** What an upstream does with one WebSocket; its connection is closed when the script ends. */
export type SocketScript = (peer: FramePeer, index: number) => Promise<void>;

/** An upstream that accepts every WebSocket, or answers what it is told to. */
export class SocketUpstream {
  /** Heads of the handshakes that came. */
  readonly heads: ReceivedMessage[] = [];
  readonly #listener: Deno.Listener;
  readonly #peers = new Set<FramePeer>();
  readonly #running: Promise<void>;
  readonly #failures: unknown[] = [];

  private constructor(
    script: SocketScript,
    answer: (head: ReceivedMessage) => string | Promise<string>,
    listener: Deno.Listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  ) {
    this.#listener = listener;
    this.#running = this.#accept(script, answer);
  }

  /** Listens on a free port of loopback. */
  static start(
    script: SocketScript,
    answer: (head: ReceivedMessage) => string | Promise<string> = (head) => acceptance(head),
  ): SocketUpstream {
    return new SocketUpstream(script, answer);
  }

  /** One that answers each handshake with `answer`, and closes. */
  static refusing(answer: string): SocketUpstream {
    return new SocketUpstream(() => Promise.resolve(), () => answer);
  }

  /**
   * One that sends binary messages without end, whatever it is sent.
   *
   * @param ignored What it passes over, as `FramePeer.said` gives it.
   * @param onSaid Called with the first other thing that it is sent; then it closes.
   */
  static flooding(ignored: string, onSaid: (said: string) => void): SocketUpstream {
    return SocketUpstream.start(async (peer) => {
      const flood = (async () => {
        const part = new Uint8Array(256 * 1024);
        while (await peer.send(2, part));
      })();
      let said = await peer.said();
      while (said === ignored) said = await peer.said();
      onSaid(said);
      peer.close();
      await flood;
    });
  }

  /** One that sends each message back, and answers Close frames; on a port of loopback, or where the caller likes. */
  static echoing(listener?: Deno.Listener): SocketUpstream {
    return new SocketUpstream(
      async (peer) => {
        for (let frame = await peer.data(); frame !== undefined; frame = await peer.data()) {
          await peer.send(frame.opcode, frame.payload, { fin: frame.fin });
          if (frame.opcode === 8) return;
        }
      },
      (head) => acceptance(head),
      listener,
    );
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** WebSockets that are open. */
  get open(): number {
    return this.#peers.size;
  }

  /** Breaks all connections, and accepts no more. */
  kill(): void {
    try {
      this.#listener.close();
    } catch {
      // Closed already.
    }
    for (const peer of this.#peers) peer.close();
  }

  /** Closes it; fails with what a script failed with. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#running;
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #accept(script: SocketScript, answer: (head: ReceivedMessage) => string | Promise<string>): Promise<void> {
    const scripts: Promise<void>[] = [];
    let index = 0;
    for await (const conn of this.#listener) scripts.push(this.#run(conn, index++, { script, answer }));
    await Promise.all(scripts);
  }

  async #run(
    conn: Deno.Conn,
    index: number,
    { script, answer }: { script: SocketScript; answer: (head: ReceivedMessage) => string | Promise<string> },
  ): Promise<void> {
    const peer = new FramePeer(conn, false);
    this.#peers.add(peer);
    try {
      const head = await peer.readHead();
      if (head === undefined) return;
      this.heads.push(head);
      await peer.sendRaw(await answer(head));
      await script(peer, index);
    } catch (error) {
      this.#failures.push(error);
    } finally {
      this.#peers.delete(peer);
      peer.close();
    }
  }
}

/** The answer that accepts a handshake; `lines` end in CRLF each. */
export async function acceptance(head: ReceivedMessage, lines = ""): Promise<string> {
  const key = header(head, "sec-websocket-key") ?? "";
  const bytes = new TextEncoder().encode(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${digest.toBase64()}\r\n${lines}\r\n`;
}

/** A request for a WebSocket as text. */
export function upgradeRequest(target = "/", lines = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: site.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${lines}\r\n`;
}

/** One frame as bytes; text becomes UTF-8. */
export function frameBytes(
  opcode: number,
  payload: string | Uint8Array = "",
  { fin = true, masked = false, reserved = 0 }: FrameShape = {},
): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const size = bytes.length;
  const mask = masked ? 128 : 0;
  const head = [(fin ? 128 : 0) | reserved | opcode];
  if (size < 126) head.push(mask | size);
  else if (size < 65_536) head.push(mask | 126, size >> 8, size & 255);
  else head.push(mask | 127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255);
  const key = [0x12, 0x9a, 0xf3, 0x61];
  if (masked) head.push(...key);
  const frame = new Uint8Array(head.length + size);
  frame.set(head);
  frame.set(bytes, head.length);
  if (masked) { for (let i = 0; i < size; i++) frame[head.length + i] ^= key[i & 3]; }
  return frame;
}

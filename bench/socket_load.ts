/**
 * Load on a WebSocket echo, as a program: `PORT PATH SOCKETS SECONDS BYTES`. Each socket has one message on its way at a
 * time. Prints how many came back and how long they took, as JSON. It has a codec of its own that costs next to nothing,
 * so that what is measured is not the load.
 *
 * @module
 */

/** What came of it. */
export interface SocketLoad {
  /** Messages that came back. */
  echoes: number;
  /** In this time, in seconds. */
  seconds: number;
  /** Median round trip, in milliseconds. */
  p50Ms: number;
  /** Round trip that 99 of 100 keep below, in milliseconds. */
  p99Ms: number;
}

const LETTER = 0x61;

if (import.meta.main) {
  const [port, path, sockets, seconds, bytes] = Deno.args;
  const result = await load({
    port: Number(port),
    path,
    sockets: Number(sockets),
    seconds: Number(seconds),
    frame: maskedFrame(Number(bytes)),
    answerBytes: frameHead(Number(bytes), false).length + Number(bytes),
  });
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(result) + "\n"));
  Deno.exit(0);
}

interface Plan {
  port: number;
  path: string;
  sockets: number;
  seconds: number;
  frame: Uint8Array<ArrayBuffer>;
  answerBytes: number;
}

async function load(plan: Plan): Promise<SocketLoad> {
  const conns = await Promise.all(Array.from({ length: plan.sockets }, () => open(plan)));
  const times: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + plan.seconds * 1000;
  await Promise.all(conns.map(async (conn) => {
    const buffer = new Uint8Array(plan.answerBytes);
    for (let sentMs = startMs; sentMs < endMs;) {
      sentMs = performance.now();
      await writeAll(conn, plan.frame);
      await readAnswer(conn, buffer);
      times.push(performance.now() - sentMs);
    }
  }));
  const seconds = (performance.now() - startMs) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { echoes: times.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function open({ port, path }: Plan): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
  await writeAll(conn, new TextEncoder().encode(head));
  const buffer = new Uint8Array(4096);
  let text = "";
  // An echo says nothing by itself, so that nothing follows the head.
  while (!text.endsWith("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`The handshake was cut short after "${text}"`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  if (!text.startsWith("HTTP/1.1 101 ")) throw new Error(`The handshake was answered with "${text.slice(0, 80)}"`);
  return conn;
}

/** Reads one message, which came as one frame. Pings do not come in rounds this short. */
async function readAnswer(conn: Deno.TcpConn, buffer: Uint8Array): Promise<void> {
  let filled = 0;
  while (filled < buffer.length) {
    const count = await conn.read(buffer.subarray(filled));
    if (count === null) throw new Error("A socket was closed under load");
    filled += count;
  }
  if (buffer[0] !== 0x82) throw new Error(`A frame begins with ${buffer[0]}, expected a whole binary message`);
  if (buffer[buffer.length - 1] !== LETTER) throw new Error("A message came back changed");
}

function maskedFrame(size: number): Uint8Array<ArrayBuffer> {
  const head = frameHead(size, true);
  const key = [0x5c, 0x12, 0xe7, 0x39];
  const frame = new Uint8Array(head.length + 4 + size);
  frame.set(head);
  frame.set(key, head.length);
  for (let i = 0; i < size; i++) frame[head.length + 4 + i] = LETTER ^ key[i & 3];
  return frame;
}

function frameHead(size: number, masked: boolean): number[] {
  const mask = masked ? 0x80 : 0;
  if (size < 126) return [0x82, mask | size];
  if (size < 65_536) return [0x82, mask | 126, size >> 8, size & 255];
  return [0x82, mask | 127, 0, 0, 0, 0, size >>> 24, (size >> 16) & 255, (size >> 8) & 255, size & 255];
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

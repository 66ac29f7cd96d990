/**
 * An upstream of the soak, a process of its own that is killed at random. Arguments: its port, 0 for a free one, which it
 * prints. `/N` is answered with N bytes, `/chunked/N` the same without a length, `/echo` with what was sent, `/ws` echoes messages.
 *
 * @module
 */

import process from "node:process";

const PATTERN = new Uint8Array(1 << 20).map((_, i) => i & 0xff);

function respond(request: Request): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/ws") {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.readyState === WebSocket.OPEN && socket.send(data);
    return response;
  }
  if (pathname === "/echo") return new Response(request.body);
  const [, first, second] = pathname.split("/");
  if (first !== "chunked") return new Response(PATTERN.subarray(0, Number(first)));
  const bytes = PATTERN.subarray(0, Number(second));
  const pieces = [bytes.slice(0, bytes.length >> 1), bytes.slice(bytes.length >> 1)];
  return new Response(ReadableStream.from(pieces));
}

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.args[0]),
  onListen: ({ port }) => process.stdout.write(`${port}\n`),
  onError: () => new Response(null, { status: 500 }),
}, respond);

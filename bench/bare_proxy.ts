/**
 * The least that a proxy over `Deno.serve` and `Deno.connect` can do, as a program: `PORT UPSTREAM`. It reads a request's
 * head, writes one upstream with the lines that a proxy adds, reads an answer that comes in one piece, and passes its lines
 * on. It checks nothing, chooses nothing, bounds nothing and survives nothing: what BWS costs above it is BWS's own.
 *
 * @module
 */

interface Kept {
  conn: Deno.TcpConn;
  buffer: Uint8Array<ArrayBuffer>;
}

const idle: Kept[] = [];
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const out = new Uint8Array(16 * 1024);
let count = 0;

async function answer(
  request: Request,
  info: Deno.ServeHandlerInfo<Deno.NetAddr>,
  upstream: string,
): Promise<Response> {
  const { url, method } = request;
  const id = `bare-${count++}`;
  let head = `${method} ${url.slice(url.indexOf("/", 8))} HTTP/1.1\r\nhost: ${upstream}\r\n`;
  request.headers.forEach((value, name) => {
    if (name !== "host") head += `${name}: ${value}\r\n`;
  });
  head += `x-forwarded-for: ${info.remoteAddr.hostname}\r\nvia: 1.1 bare\r\nx-request-id: ${id}\r\n\r\n`;
  const kept = idle.pop() ?? await dial(upstream);
  const { written } = encoder.encodeInto(head, out);
  await kept.conn.write(out.subarray(0, written));
  const read = await kept.conn.read(kept.buffer) ?? 0;
  const text = decoder.decode(kept.buffer.subarray(0, read));
  const end = text.indexOf("\r\n\r\n");
  const response = new Response(kept.buffer.slice(end + 4, read));
  for (let at = text.indexOf("\r\n") + 2; at < end;) {
    const colon = text.indexOf(":", at);
    const lineEnd = text.indexOf("\r\n", colon);
    const name = text.slice(at, colon).toLowerCase();
    if (name !== "content-length" && name !== "connection") {
      response.headers.append(name, text.slice(colon + 2, lineEnd));
    }
    at = lineEnd + 2;
  }
  response.headers.append("via", "1.1 bare");
  response.headers.append("x-request-id", id);
  idle.push(kept);
  return response;
}

async function dial(upstream: string): Promise<Kept> {
  const [hostname, port] = upstream.split(":");
  const conn = await Deno.connect({ hostname, port: Number(port) });
  conn.setNoDelay(true);
  return { conn, buffer: new Uint8Array(16 * 1024) };
}

if (import.meta.main) {
  const [port, upstream] = Deno.args;
  Deno.serve(
    { hostname: "127.0.0.1", port: Number(port), onListen() {} },
    (request, info) => answer(request, info, upstream),
  );
}

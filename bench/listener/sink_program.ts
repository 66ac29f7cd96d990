/**
 * An upstream that takes chunked uploads, as a program: `PORT`. Nothing of it is checked: it is to
 * cost little.
 *
 * @module
 */

const OK = new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

if (import.meta.main) {
  const port = Number(Deno.args[0]);
  for await (const conn of Deno.listen({ hostname: "127.0.0.1", port })) serve(conn);
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  let tail = "";
  try {
    conn.setNoDelay(true);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      tail = (tail + new TextDecoder("latin1").decode(buffer.subarray(Math.max(0, count - 8), count))).slice(-8);
      if (tail.endsWith("0\r\n\r\n")) await writeAll(conn, OK);
    }
  } catch {
    // The proxy was ended.
  }
  conn.close();
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

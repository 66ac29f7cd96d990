/**
 * A chunked upload, as a program: `PORT CHUNK_BYTES TOTAL_BYTES`. Prints how long it took until the answer, in
 * milliseconds. Chunks are written in pieces of up to 64 KiB, as a busy client's kernel would send them.
 *
 * @module
 */

if (import.meta.main) {
  const [port, chunkBytes, totalBytes] = Deno.args.map(Number);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  const chunk = encoder.encode(`${chunkBytes.toString(16)}\r\n${"x".repeat(chunkBytes)}\r\n`);
  const perWrite = Math.max(1, Math.floor(65_536 / chunk.length));
  const piece = new Uint8Array(perWrite * chunk.length);
  for (let i = 0; i < perWrite; i++) piece.set(chunk, i * chunk.length);
  const startMs = performance.now();
  await writeAll(
    conn,
    encoder.encode("POST /upload HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n"),
  );
  for (let sent = 0; sent < totalBytes; sent += perWrite * chunkBytes) await writeAll(conn, piece);
  await writeAll(conn, encoder.encode("0\r\n\r\n"));
  const buffer = new Uint8Array(4096);
  const count = await conn.read(buffer);
  const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
  if (!text.startsWith("HTTP/1.1 200")) throw new Error(`The upload was answered with "${text.slice(0, 40)}"`);
  await Deno.stdout.write(encoder.encode(String(performance.now() - startMs)));
  Deno.exit(0);
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

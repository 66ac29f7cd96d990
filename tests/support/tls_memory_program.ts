/**
 * Begins and ends TLS connections without a peer, and prints by how many bytes the process grows after the first third.
 * Arguments: files of the certificate and its key, and how many connections.
 *
 * @module
 */

import type { Socket } from "../../lib/sockets/socket.ts";
import { TlsSocket } from "../../lib/sockets/tls/tls_socket.ts";

const [certFile, keyFile, count] = Deno.args;
const [cert, key] = [certFile, keyFile].map((path) => Deno.readTextFileSync(path));
const context = { cert, key, minVersion: "TLSv1.2", requestCert: false, rejectUnauthorized: false } as const;
// A socket that never does anything.
const raw = { queuedBytes: 0, write: () => true, close() {}, pause() {}, resume() {} } as unknown as Socket;

let before = 0;
for (let i = 0; i < Number(count); i++) {
  new TlsSocket(raw, context, [], { secured() {}, unsecured() {} }).close();
  // V8 marks between turns.
  if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
  if (i === Math.floor(Number(count) / 3)) before = Deno.memoryUsage().rss;
}
// deno-lint-ignore no-console -- the result
console.log(Deno.memoryUsage().rss - before);

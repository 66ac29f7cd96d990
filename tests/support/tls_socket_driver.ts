/**
 * The server's TLS over another driver, as a driver, so that the contract suite of sockets can hold it to it: listening
 * makes the handshake first. Connecting is the runtime's.
 *
 * @module
 */

import { RuntimeSocket } from "../../lib/sockets/runtime_socket.ts";
import type { Socket, SocketDriver } from "../../lib/sockets/socket.ts";
import { TlsSocket } from "../../lib/sockets/tls/tls_socket.ts";
import type { Wire } from "../../lib/sockets/wire.ts";
import type { Certificates } from "./certificates.ts";

/** Makes the driver, and a client that is not its own. The certificate is for 127.0.0.1, whatever address is connected to. */
export function tlsSocketDriver(below: SocketDriver, { cert, key, caFile }: Certificates): {
  driver: SocketDriver;
  connectPeer: (address: string, port: number) => Promise<Wire>;
} {
  const caCerts = [Deno.readTextFileSync(caFile)];
  const context = { cert, key, minVersion: "TLSv1.2", requestCert: false, rejectUnauthorized: false } as const;
  const connectPeer = async (hostname: string, port: number) => {
    const conn = await Deno.startTls(await Deno.connect({ hostname, port }), { hostname: "127.0.0.1", caCerts });
    await conn.handshake();
    return conn;
  };
  const driver: SocketDriver = {
    name: below.name,
    scratch: below.scratch,
    listen(target, handler) {
      const accepted = (raw: Socket) =>
        void new TlsSocket(raw, context, [], {
          secured: (socket) => handler.accepted(socket),
          unsecured: () => raw.close(),
        });
      return below.listen(target, { accepted, failed: (error) => handler.failed(error) });
    },
    connect(target, handler) {
      if ("path" in target) throw new Error("There is no TLS over unix sockets here");
      connectPeer(target.address, target.port).then((conn) => {
        const socket = new RuntimeSocket(conn, target.address, target.port);
        handler.connected(socket);
        socket.begin();
      }, handler.refused);
      return { abandon() {} };
    },
  };
  return { driver, connectPeer };
}

/**
 * Sockets over the runtime's TLS as a driver, so that the contract suite of sockets can hold them to it: listening, as
 * well as connecting, makes the handshake first.
 *
 * @module
 */

import { RuntimeSocket } from "../../lib/sockets/runtime_socket.ts";
import type { AcceptHandler, ConnectHandler, SocketDriver } from "../../lib/sockets/socket.ts";
import { closeQuietly, type Wire } from "../../lib/sockets/wire.ts";
import type { Certificates } from "./certificates.ts";

/** Makes the driver, and a client that is not its own. The certificate is for 127.0.0.1, whatever address is connected to. */
export function tlsDriver(certificates: Certificates): {
  driver: SocketDriver;
  connectPeer: (address: string, port: number) => Promise<Wire>;
} {
  const { cert, key } = certificates;
  const caCerts = [Deno.readTextFileSync(certificates.caFile)];
  const connectTls = async (hostname: string, port: number) => {
    const conn = await Deno.startTls(await Deno.connect({ hostname, port }), { hostname: "127.0.0.1", caCerts });
    await conn.handshake();
    return conn;
  };
  const driver: SocketDriver = {
    name: "runtime",
    scratch: undefined,
    listen({ address, port }, handler) {
      const listener = Deno.listenTls({ hostname: address, port, cert, key });
      accept(listener, handler);
      const { hostname, port: found } = listener.addr as Deno.NetAddr;
      return { address: hostname, port: found, retry() {}, close: () => listener.close() };
    },
    connect(target, handler: ConnectHandler) {
      if ("path" in target) throw new Error("There is no TLS over unix sockets here");
      connectTls(target.address, target.port).then((conn) => {
        const socket = new RuntimeSocket(conn, target.address, target.port);
        handler.connected(socket);
        socket.begin();
      }, handler.refused);
      return { abandon() {} };
    },
  };
  return { driver, connectPeer: connectTls };
}

async function accept(listener: Deno.TlsListener, handler: AcceptHandler): Promise<void> {
  try {
    for await (const conn of listener) {
      conn.handshake().then(() => {
        const socket = new RuntimeSocket(conn);
        try {
          handler.accepted(socket);
        } catch (error) {
          socket.fail(error);
        }
        socket.begin();
      }, () => closeQuietly(conn));
    }
  } catch {
    // It was closed.
  }
}

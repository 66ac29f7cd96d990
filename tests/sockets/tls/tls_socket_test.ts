/**
 * The server's TLS over both drivers, with and without faults of the system.
 *
 * @module
 */

import { runtimeDriver } from "../../../lib/sockets/runtime_driver.ts";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { socketContract, type SocketFault } from "../../contract/socket_contract.ts";
import { Certificates } from "../../support/certificates.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import { tlsSocketDriver } from "../../support/tls_socket_driver.ts";

const certificates = await Certificates.make("IP:127.0.0.1");
const hold = (name: string, below: SocketDriver, faults: readonly SocketFault[] = []) => {
  const { driver, connectPeer } = tlsSocketDriver(below, certificates);
  socketContract(name, driver, { connectPeer, faults });
};

hold("TLS over the runtime's", runtimeDriver);
if (epollWorks) {
  const { epollDriver, faultyCalls } = await import("../../support/epoll_driver.ts");
  const shortened = (bytes: number): Disposable => {
    faultyCalls.mostBytes = bytes;
    return { [Symbol.dispose]: () => faultyCalls.clear() };
  };
  hold("TLS over epoll", epollDriver, [
    { name: "reads and writes of one byte", inject: () => shortened(1) },
    { name: "reads and writes of seven bytes", inject: () => shortened(7) },
  ]);
}
await certificates[Symbol.asyncDispose]();

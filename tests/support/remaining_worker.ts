/**
 * A worker with sockets of the driver that its address names: it listens on the address that is its name, answers each message with
 * itself, and says its port and what remains of its driver. `close` ends it from within.
 *
 * @module
 */

import { EpollDriver } from "../../lib/sockets/epoll/epoll_driver.ts";
import { UringDriver } from "../../lib/sockets/uring/uring_driver.ts";

const name = new URL(import.meta.url).searchParams.get("driver");
const driver = name === "uring" ? new UringDriver() : new EpollDriver();
const listening = driver.listen({ address: self.name, port: 0, shared: true }, {
  accepted(socket) {
    socket.handler = {
      received: (bytes, start, end) => void socket.write(bytes.subarray(start, end), "lent"),
      drained() {},
      ended: () => socket.close(),
      failed() {},
    };
  },
  failed() {},
});
const worker = self as unknown as Worker & { close(): void };
worker.onmessage = () => worker.close();
worker.postMessage({ port: listening.port, remains: driver.remains });

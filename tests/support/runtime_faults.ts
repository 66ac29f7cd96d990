/**
 * Faults of the runtime's connections, for the contract suite of sockets: all connections of the process have them, until
 * they are taken back.
 *
 * @module
 */

import type { SocketFault } from "../contract/socket_contract.ts";
import type { Wire } from "../../lib/sockets/wire.ts";

type Methods = Pick<Wire, "read" | "write">;

/** What a method becomes, given how it was. */
interface Change {
  read?(read: Wire["read"]): (this: Wire, buffer: Uint8Array) => Promise<number | null>;
  write?(write: Wire["write"]): (this: Wire, bytes: Uint8Array) => Promise<number>;
}

const CHANGES: Readonly<Record<string, Change>> = {
  "reads of one byte": {
    read: (read) =>
      function (buffer) {
        return read.call(this, buffer.subarray(0, 1));
      },
  },
  "writes of one byte": {
    write: (write) =>
      function (bytes) {
        return write.call(this, bytes.subarray(0, 1));
      },
  },
  "reads of no bytes in between": {
    read(read) {
      let calls = 0;
      return function (buffer) {
        return calls++ % 2 === 0 ? Promise.resolve(0) : read.call(this, buffer);
      };
    },
  },
  "reads and writes that settle a turn later": {
    read: (read) =>
      async function (buffer) {
        const count = await read.call(this, buffer);
        await turn();
        return count;
      },
    write: (write) =>
      async function (bytes) {
        await turn();
        const count = await write.call(this, bytes.subarray(0, 7000));
        await turn();
        return count;
      },
  },
};

/** The faults. */
export async function runtimeFaults(): Promise<readonly SocketFault[]> {
  const methods = await connMethods();
  return Object.entries(CHANGES).map(([name, { read, write }]) => ({
    name,
    inject() {
      const before = { read: methods.read, write: methods.write };
      if (read !== undefined) methods.read = read(before.read);
      if (write !== undefined) methods.write = write(before.write);
      return {
        [Symbol.dispose]: () => void Object.assign(methods, before),
      };
    },
  }));
}

/** Where all connections of the runtime have their methods. */
async function connMethods(): Promise<Methods> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  (await listener.accept()).close();
  listener.close();
  conn.close();
  let prototype = Object.getPrototypeOf(conn);
  while (!Object.hasOwn(prototype, "read")) prototype = Object.getPrototypeOf(prototype);
  return prototype;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

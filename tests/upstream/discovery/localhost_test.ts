import { lookup } from "node:dns/promises";
// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { dial } from "../../../lib/sockets/dial.ts";
import { parseEndpoint } from "../../../lib/sockets/endpoint.ts";

Deno.test("dial() reaches a server on any one of the addresses of localhost", async () => {
  const addresses = (await lookup("localhost", { all: true })).map(({ address }) => address);
  // And on both loopback addresses, whatever the hosts file says; a machine without IPv6 cannot listen on one of them.
  const loopback = ["127.0.0.1", ...Deno.networkInterfaces().some(({ address }) => address === "::1") ? ["::1"] : []];
  for (const address of new Set([...addresses, ...loopback])) {
    using listener = Deno.listen({ hostname: address, port: 0 });
    const wire = await dial(parseEndpoint(`http://localhost:${listener.addr.port}`), 5000);
    using accepted = await listener.accept();
    assertEquals(accepted.localAddr.hostname, address);
    wire.close();
  }
});

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Access, access } from "../../lib/features/access/access.ts";
import { AddressFile } from "../../lib/features/access/address_file.ts";
import { type AccessConfig, accessKeys } from "../../lib/features/access/access_schema.ts";
import { connect } from "node:http2";
import { createHandler } from "../../lib/process/create_handler.ts";
import { OwnListener } from "../listener/own/own_listener.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

type Written = Partial<Record<keyof AccessConfig, unknown>>;

function verdicts(written: Written, addresses: string[]): boolean[] {
  const filter = new Access(accessKeys.parse(written));
  return addresses.map((address) => filter.lets(address));
}

Deno.test("access lets the first rule that fits decide", () => {
  const rules = ["deny 10.0.0.13", "allow 10.0.0.0/8", "allow fd00::/8", "deny all"];
  const addresses = ["10.0.0.13", "10.0.0.14", "fd00::1", "192.0.2.1", ""];
  assertEquals(verdicts({ rules }, addresses), [false, true, true, false, false]);
});

Deno.test("access refuses all others where some are allowed, and nobody else where some are denied", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "192.0.2.1"];
  assertEquals(verdicts({ allow: ["10.0.0.0/8"], deny: ["10.0.0.2"] }, addresses), [true, false, false]);
  assertEquals(verdicts({ deny: ["10.0.0.2"] }, addresses), [true, false, true]);
  assertEquals(verdicts({ rules: ["allow 192.0.2.1"], deny: ["all"] }, addresses), [false, false, true]);
});

Deno.test("access reads a file again when it has changed, and keeps what it has when the file is malformed", async () => {
  await inTemporaryFolder({ "deny.txt": "# from the log\n10.0.0.1 # noisy\n\nfd00::/8\n" }, async (folder) => {
    const path = `${folder}/deny.txt`;
    const file = new AddressFile(path);
    assertEquals(["10.0.0.1", "fd12::1", "10.0.0.2"].map((address) => file.has(address)), [true, true, false]);
    // The look that has() began may have seen the file before it changes.
    await file.look();
    await Deno.writeTextFile(path, "10.0.0.2\n10.0.0.3\n");
    await file.look();
    assertEquals(["10.0.0.1", "10.0.0.2"].map((address) => file.has(address)), [false, true]);
    await file.look();
    await Deno.writeTextFile(path, "10.0.0.1\nnobody at all\n");
    await file.look();
    assertEquals(["10.0.0.1", "10.0.0.2"].map((address) => file.has(address)), [false, true]);
    await file.look();
    // As while the process has too many open files.
    await Deno.writeTextFile(path, "10.0.0.4\n");
    const { readTextFile } = Deno;
    Deno.readTextFile = () => Promise.reject(new Deno.errors.PermissionDenied("no"));
    await file.look().finally(() => Deno.readTextFile = readTextFile);
    await file.look();
    assertEquals(["10.0.0.2", "10.0.0.4"].map((address) => file.has(address)), [false, true]);
    await file.look();
    await Deno.writeTextFile(path, "10.0.0.1\nnobody at all\n");
    const { message } = assertThrows(() => new AddressFile(path), SyntaxError);
    assertStringIncludes(message, 'line 2: "nobody at all", expected an IP address or a network');
  });
});

Deno.test("access answers 403, or closes the connection, and counts the client's address behind trusted proxies", async () => {
  const site = (action: string) => ({
    server: { trusted_proxies: ["127.0.0.1"] },
    sites: [{ access: { deny: ["203.0.113.9"], action }, static_dir: "tests/www" }],
  });
  const ask = (address: string) => new Request("http://localhost/", { headers: { "x-forwarded-for": address } });
  for (const action of ["forbid", "drop"] as const) {
    // deno-lint-ignore no-explicit-any
    const handler = createHandler(site(action) as any);
    const info = { remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 } } as Deno.ServeHandlerInfo;
    const statuses: number[] = [];
    for (const address of ["203.0.113.9", "203.0.113.8"]) {
      const response = await handler(ask(address), info);
      await response.body?.cancel();
      statuses.push(response.status);
    }
    // The runtime's server cannot close a connection without a response.
    assertEquals(statuses, [403, 200], action);
    await handler.close();
  }
});

Deno.test("access drops the connection of HTTP/1.1, and resets the stream of HTTP/2", async () => {
  await using proxy = new OwnListener({
    upstreams: ["http://127.0.0.1:1"],
    site: { access: { deny: ["127.0.0.0/8"], action: "drop" } },
  });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  assertEquals(await client.read(new Uint8Array(100)), null);
  client.close();
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  const stream = session.request({ ":path": "/" });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  stream.on("response", () => resolve("a response"));
  stream.on("error", resolve);
  stream.on("close", () => resolve(stream.rstCode));
  assert(await promise !== "a response");
  session.destroy();
});

Deno.test("access warns of rules that deny nobody, and of one behind all", () => {
  const warned: string[] = [];
  const report = { warning: (_: unknown, { message }: { message: string }) => warned.push(message), error: () => {} };
  access.check(accessKeys.parse({ rules: ["allow 10.0.0.0/8"] }), report);
  access.check(accessKeys.parse({ rules: ["deny all", "allow 10.0.0.0/8"] }), report);
  access.check(accessKeys.parse({ rules: ["allow 10.0.0.0/8", "deny all"] }), report);
  assertEquals(warned.length, 2);
});

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { basicAuth } from "../../lib/features/basic_auth/basic_auth.ts";
import { basicAuthKeys } from "../../lib/features/basic_auth/basic_auth_schema.ts";
import { hashFault } from "../../lib/features/basic_auth/hash_kind.ts";
import { parseHtpasswd } from "../../lib/features/basic_auth/htpasswd.ts";
import { hashPassword, verifyPassword } from "../../lib/features/basic_auth/password_hash.ts";
import { UsersFile } from "../../lib/features/basic_auth/users_file.ts";
import { passwordThread } from "../../lib/features/basic_auth/password_thread.ts";
import type { BasicAuthInput } from "../../lib/generation/config/config_types.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

// Of "secret", with the least cost: tests need not be slow to guess.
const BCRYPT = "$2y$04$abcdefghijklmnopqrstuuWR6bHmO4mjNIBI0oOmqYzJ9XQqkUPxG";
const SHA512 =
  "$6$rounds=5000$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.";

const basic = (user: string, password: string) =>
  `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))}`;

/** Responses of a site with users, in front of an upstream that repeats the fields of its requests. */
async function ask(table: BasicAuthInput, requests: (Record<string, string>)[], address = "192.0.2.1") {
  const upstream = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ headers }) => Response.json({ user: headers.get("x-user"), authorization: headers.get("authorization") }),
  );
  const handler = createHandler({
    sites: [{
      basic_auth: table,
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
        routes: [{ path: "/", upstream: "app" }],
      },
    }],
  });
  const info = { remoteAddr: { transport: "tcp", hostname: address, port: 1 } } as Deno.ServeHandlerInfo;
  try {
    const got = [];
    for (const headers of requests) {
      const response = await handler(new Request("http://localhost/", { headers }), info);
      got.push({ status: response.status, headers: response.headers, text: await response.text() });
    }
    return got;
  } finally {
    await handler.close();
    await upstream.shutdown();
    passwordThread.stop();
  }
}

Deno.test("basic_auth asks nobody where it is not enabled, as on a route of a site that asks", async () => {
  await using upstream = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ headers }) => new Response(`authorization ${headers.get("authorization")}`),
  );
  const handler = createHandler({
    sites: [{
      basic_auth: { users: { ann: BCRYPT } },
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
        routes: [{ path: "/", upstream: "app" }, { path: "/open/", upstream: "app", basic_auth: { enabled: false } }],
      },
    }],
  });
  try {
    const asked = async (path: string) => {
      const response = await handler(
        new Request(`http://localhost${path}`, { headers: { authorization: "Bearer x" } }),
      );
      return [response.status, response.status === 200 ? await response.text() : await response.body?.cancel()];
    };
    assertEquals(await asked("/"), [401, undefined]);
    assertEquals(await asked("/open/"), [200, "authorization Bearer x"]);
  } finally {
    await handler.close();
    passwordThread.stop();
  }
});

Deno.test("basic_auth lets users in with their password, and asks all others for it", async () => {
  const hash = await hashPassword("grün:secret", "argon2id");
  const [none, right, wrong, unknown, malformed] = await ask({ users: { ann: hash }, realm: 'The "realm"' }, [
    {},
    { authorization: basic("ann", "grün:secret") },
    { authorization: basic("ann", "grün") },
    { authorization: basic("bob", "grün:secret") },
    { authorization: "Basic %%%" },
  ]);
  assertEquals(none.headers.get("www-authenticate"), 'Basic realm="The \\"realm\\"", charset="UTF-8"');
  assertEquals([none, right, wrong, unknown, malformed].map(({ status }) => status), [401, 200, 401, 401, 401]);
});

Deno.test("basic_auth tells the upstream the user's name, and keeps the password to itself", async () => {
  const users = { ann: SHA512 };
  const authorization = basic("ann", "secret");
  const [own] = await ask({ users, user_header: "X-User" }, [{ authorization, "x-user": "root" }]);
  assertEquals(JSON.parse(own.text), { user: "ann", authorization: null });
  const [forwarded] = await ask({ users, forward_credentials: true }, [{ authorization }]);
  assertEquals(JSON.parse(forwarded.text), { user: null, authorization });
});

Deno.test("basic_auth limits the attempts of an address, but for passwords that were right", async () => {
  const right = { authorization: basic("ann", "secret") };
  const wrong = { authorization: basic("ann", "wrong") };
  const got = await ask({ users: { ann: SHA512 }, attempts_per_minute: 2 }, [right, wrong, wrong, right]);
  assertEquals(got.map(({ status }) => status), [200, 401, 429, 200]);
  assert(Number(got[2].headers.get("retry-after")) > 0);
});

Deno.test("basic_auth counts the attempts of IPv6 clients by /64, and one for requests that come together", async () => {
  const wrong = { authorization: basic("ann", "wrong") };
  const table = { users: { ann: SHA512 }, attempts_per_minute: 2 };
  const upstreamless = createHandler({ sites: [{ static_dir: "tests/www", basic_auth: table }] });
  const ask = async (address: string, headers: Record<string, string>) => {
    const info = { remoteAddr: { transport: "tcp", hostname: address, port: 1 } } as Deno.ServeHandlerInfo;
    const response = await upstreamless(new Request("http://localhost/", { headers }), info);
    await response.body?.cancel();
    return response.status;
  };
  const statuses = [];
  for (const end of [1, 2, 3]) statuses.push(await ask(`2001:db8::${end}`, wrong));
  assertEquals(statuses, [401, 401, 429]);
  const right = { authorization: basic("ann", "secret") };
  const page = await Promise.all(Array.from({ length: 100 }, () => ask("192.0.2.1", right)));
  assertEquals(new Set(page), new Set([200]));
  await upstreamless.close();
  passwordThread.stop();
});

Deno.test("basic_auth lets no client set the user's field under another spelling, or have it removed", async () => {
  const forged = { "x_user": "root", "X.User": "root", "connection": "x-user", "x-user": "root" };
  const upstream = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ headers }) => Response.json([headers.get("x-user"), headers.get("x_user"), headers.get("x.user")]),
  );
  const handler = createHandler({
    sites: [{
      basic_auth: { users: { ann: SHA512 }, user_header: "X-User" },
      proxy: {
        upstreams: [{ name: "app", url: `http://127.0.0.1:${upstream.addr.port}` }],
        routes: [{ path: "/", upstream: "app" }, { path: "/open", upstream: "app", basic_auth: { enabled: false } }],
      },
    }],
  });
  const get = (path: string, headers: Record<string, string>) =>
    handler(new Request(`http://localhost${path}`, { headers }));
  const response = await get("/", { ...forged, authorization: basic("ann", "secret") });
  assertEquals(await response.json(), ["ann", null, null]);
  const open = await get("/open", {});
  assertEquals([open.status, await open.json()], [200, [null, null, null]]);
  await handler.close();
  await upstream.shutdown();
  passwordThread.stop();
});

Deno.test("UsersFile reads its file again when it has changed, and keeps the users while it is malformed", async () => {
  await inTemporaryFolder({ "users": `ann:${SHA512}\n` }, async (folder) => {
    const file = new UsersFile(`${folder}/users`);
    // Asking for the users may begin a look, which the next one would share, and which the end of the test would not await.
    const names = async () => {
      const { users } = file;
      await file.look();
      return [...users.keys()];
    };
    const after = async (content: string) => {
      await Deno.writeTextFile(`${folder}/users`, content);
      await file.look();
      return await names();
    };
    assertEquals(await names(), ["ann"]);
    assertEquals(await after(`ann:${SHA512}\nbob:${SHA512}\n`), ["ann", "bob"]);
    assertEquals(await after("ann:secret\n"), ["ann", "bob"]);
    await Deno.remove(`${folder}/users`);
    await file.look();
    assertEquals(await names(), ["ann", "bob"]);
    assertEquals(await after(`bob:${SHA512}\n`), ["bob"]);
    // As while the process has too many open files, or the file another owner.
    const { readTextFile } = Deno;
    Deno.readTextFile = () => Promise.reject(new Deno.errors.PermissionDenied("no"));
    try {
      assertEquals(await after(`ann:${SHA512}\nbob:${SHA512}\n`), ["bob"]);
    } finally {
      Deno.readTextFile = readTextFile;
    }
    await file.look();
    assertEquals(await names(), ["ann", "bob"]);
  });
});

Deno.test("basic_auth reads users from a file of htpasswd", async () => {
  await inTemporaryFolder({ "users": `# staff\nann:${SHA512}\n\n` }, async (folder) => {
    const [right] = await ask({ users_file: `${folder}/users` }, [{ authorization: basic("ann", "secret") }]);
    assertEquals(right.status, 200);
  });
  const { message } = assertThrows(() => parseHtpasswd("ann:$apr1$abc$def", "users"), SyntaxError);
  assertStringIncludes(message, 'users, line 1: the hash of "ann" is MD5 or SHA-1 without rounds');
  assertThrows(() => parseHtpasswd("ann", "users"), SyntaxError);
  assertThrows(() => parseHtpasswd("ann:secret", "users"), SyntaxError);
});

Deno.test("verifyPassword() takes bcrypt, argon2 and SHA-crypt, and no malformed hash", async () => {
  const hashes = [await hashPassword("secret", "argon2id"), await hashPassword("secret", "bcrypt"), SHA512];
  for (const hash of hashes) {
    assertEquals(hashFault(hash), undefined, hash);
    assertEquals([await verifyPassword("secret", hash), await verifyPassword("Secret", hash)], [true, false], hash);
  }
  assertEquals(hashFault(BCRYPT), undefined);
  assertEquals(await verifyPassword("secret", "$2b$04$short"), false);
  assertEquals(await verifyPassword("secret", "$argon2id$broken"), false);
  for (const hash of ["secret", "", "$2b$31$abcdefghijklmnopqrstuuWR6bHmO4mjNIBI0oOmqYzJ9XQqkUPxG"]) {
    assert(hashFault(hash) !== undefined, hash);
  }
});

Deno.test("basic_auth refuses a table without users, and a name with a colon", () => {
  const found: string[] = [];
  const report = { error: (_: unknown, { message }: { message: string }) => found.push(message), warning: () => {} };
  basicAuth.check(basicAuthKeys.parse({}), report);
  basicAuth.check(basicAuthKeys.parse({ users: { "a:b": SHA512 } }), report);
  assertEquals(found, ["basic_auth has no users: nobody would be let in", "a user's name has a colon, which ends it"]);
});

/**
 * Orders at pebble, which checks names for real.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { AcmeAccount } from "../../../lib/listener/acme/acme_account.ts";
import { AcmeError } from "../../../lib/listener/acme/acme_error.ts";
import { DnsChallenge } from "../../../lib/listener/acme/dns_challenge.ts";
import { FolderStore } from "../../../lib/listener/acme/folder_store.ts";
import { HttpChallenge } from "../../../lib/listener/acme/http_challenge.ts";
import { orderCertificate } from "../../../lib/listener/acme/order.ts";
import { pemBlocks } from "../../../lib/listener/acme/pem.ts";
import type { KeyType } from "../../../lib/listener/acme/signing_key.ts";
import { answerChallenges } from "../../support/http_validation.ts";
import { Pebble, pebbleIsMissing, type PebbleOptions } from "../../support/pebble.ts";

const MAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

interface Ordering {
  readonly pebble: Pebble;
  readonly store: FolderStore;
  readonly account: AcmeAccount;
  order(name: string, options?: { keyType?: KeyType }): Promise<{ chain: string; key: string }>;
}

interface OrderingOptions extends PebbleOptions {
  readonly binding?: { keyId: string; hmacKey: string };
  readonly preferredChain?: string;
}

function withPebble(name: string, options: OrderingOptions, work: (ordering: Ordering) => Promise<void>): void {
  Deno.test({ name, ignore: pebbleIsMissing }, async () => {
    await using pebble = await Pebble.start(options);
    const folder = await Deno.makeTempDir();
    const store = new FolderStore(`${folder}/store`);
    await using _challenges = answerChallenges(store, pebble.httpPort);
    const { directoryUrl } = pebble;
    const authorities = await Deno.readTextFile(pebble.caFile);
    const { binding, preferredChain } = options;
    const account = new AcmeAccount({ name: "pebble", directoryUrl, authorities, binding, preferredChain }, store);
    const solvers = [new HttpChallenge(store)];
    try {
      await work({
        ...{ pebble, store, account },
        order: (name, { keyType = "p256" } = {}) =>
          orderCertificate(account, {
            name,
            solvers,
            keyType,
            replaces: undefined,
            signal: AbortSignal.timeout(60_000),
          }),
      });
    } finally {
      account.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

withPebble(
  "an order ends with a certificate that covers the name and its key",
  {},
  async ({ pebble, order, store }) => {
    pebble.name("shop.test");
    const { chain, key } = await order("shop.test");
    const [leaf, issuer] = pemBlocks(chain).map(({ text }) => new X509Certificate(text));
    assertEquals(leaf.subjectAltName, "DNS:shop.test");
    assertEquals(leaf.checkPrivateKey(createPrivateKey(key)), true);
    assertEquals(leaf.checkIssued(issuer), true);
    assertEquals(await store.list("challenges"), [], "what was put in place is removed");
  },
);

withPebble(
  "a nonce that is refused is replaced, until one is taken",
  { env: { PEBBLE_WFE_NONCEREJECT: "50" } },
  async ({ pebble, order }) => {
    pebble.name("shop.test");
    const { chain } = await order("shop.test");
    assertEquals(pemBlocks(chain).length, 2);
  },
);

withPebble("keys of each kind get certificates", {}, async ({ pebble, order }) => {
  for (const [keyType, curve] of [["p384", "secp384r1"], ["rsa2048", undefined]] as const) {
    pebble.name(`${keyType}.test`);
    const { chain, key } = await order(`${keyType}.test`, { keyType });
    const leaf = new X509Certificate(chain);
    assertEquals(leaf.checkPrivateKey(createPrivateKey(key)), true);
    assertEquals(leaf.publicKey.asymmetricKeyDetails?.namedCurve, curve);
  }
});

withPebble("an account is made once, and kept in the store", {}, async ({ pebble, order, store, account }) => {
  pebble.name("one.test");
  pebble.name("two.test");
  await order("one.test");
  const [kept] = await store.list("accounts");
  const before = await store.get(kept);
  const authorities = await Deno.readTextFile(pebble.caFile);
  const again = new AcmeAccount({ ...account.settings, authorities }, store);
  const request = {
    name: "two.test",
    solvers: [new HttpChallenge(store)],
    keyType: "p256",
    replaces: undefined,
    signal: AbortSignal.timeout(60_000),
  } as const;
  await orderCertificate(again, request);
  again.close();
  assertEquals(await store.get(kept), before);
});

withPebble("a challenge that fails is told in the words of the authority", {}, async ({ pebble, order, store }) => {
  // The name leads to 127.0.0.1, where no token stands.
  pebble.name("shop.test");
  store.put = () => Promise.resolve();
  const error = await assertRejects(() => order("shop.test"), AcmeError);
  assertEquals(error.type, "unauthorized");
  assertEquals(error.concernsName, true);
  assertStringIncludes(error.message, "The challenge http-01 failed: unauthorized: ");
});

withPebble("a name without an address is told so", {}, async ({ order }) => {
  const error = await assertRejects(() => order("missing.test"), AcmeError);
  assertStringIncludes(error.message, "missing.test");
});

const EAB = { bindings: { "kid-1": MAC_KEY } };

withPebble(
  "an account is bound to an external one",
  { ...EAB, binding: { keyId: "kid-1", hmacKey: MAC_KEY } },
  async ({ pebble, order }) => {
    pebble.name("shop.test");
    const { chain } = await order("shop.test");
    assertEquals(new X509Certificate(chain).subjectAltName, "DNS:shop.test");
  },
);

withPebble("an authority that needs a binding is not asked without one", EAB, async ({ order }) => {
  const error = await assertRejects(() => order("shop.test"), AcmeError);
  assertStringIncludes(error.message, "needs an external account binding");
});

withPebble(
  "a binding with another key is refused in the words of the authority",
  { ...EAB, binding: { keyId: "kid-1", hmacKey: MAC_KEY.replace("z", "A") } },
  async ({ order }) => {
    const error = await assertRejects(() => order("shop.test"), AcmeError);
    assertStringIncludes(error.message, "Cannot make an account: unauthorized");
  },
);

withPebble(
  "the chain of the preferred issuer is chosen",
  { env: { PEBBLE_ALTERNATE_ROOTS: "2" } },
  async ({ pebble, order, account, store }) => {
    pebble.name("shop.test");
    const root = new X509Certificate(await pebble.root(2)).subject.replace(/^CN=/, "");
    const authorities = await Deno.readTextFile(pebble.caFile);
    const choosy = new AcmeAccount({ ...account.settings, authorities, preferredChain: root }, store);
    const solvers = [new HttpChallenge(store)];
    const signal = AbortSignal.timeout(60_000);
    const common = { name: "shop.test", solvers, keyType: "p256", replaces: undefined, signal } as const;
    const { chain } = await orderCertificate(choosy, common);
    choosy.close();
    const last = new X509Certificate(pemBlocks(chain).at(-1)?.text ?? "");
    assertEquals(last.issuer, `CN=${root}`);
    assertEquals(
      new X509Certificate(pemBlocks((await order("shop.test")).chain).at(-1)?.text ?? "").issuer !== last.issuer,
      true,
    );
  },
);

Deno.test(
  { name: "a wildcard gets its certificate by a command that sets the record", ignore: pebbleIsMissing },
  async () => {
    await using pebble = await Pebble.start();
    const folder = await Deno.makeTempDir();
    const calls = `${folder}/calls`;
    await Deno.writeTextFile(`${folder}/dns.sh`, `#!/bin/sh\necho "$@" >> ${calls}\n`, { mode: 0o755 });
    const store = new FolderStore(`${folder}/store`);
    const authorities = await Deno.readTextFile(pebble.caFile);
    const account = new AcmeAccount({ name: "pebble", directoryUrl: pebble.directoryUrl, authorities }, store);
    const dns = new DnsChallenge({ command: [`${folder}/dns.sh`, "--zone=shop"], timeoutMs: 30_000, propagationMs: 0 });
    // The command of the test sets nothing itself: what it was called with is set in the name server.
    const solver = {
      type: dns.type,
      solve: async (...args: Parameters<typeof dns.solve>) => {
        const solved = await dns.solve(...args);
        const [, , name, text] = (await Deno.readTextFile(calls)).trim().split(" ");
        pebble.dns.set(name, "TXT", [{ type: "TXT", text, ttlSeconds: 1 }]);
        return solved;
      },
    };
    const signal = AbortSignal.timeout(60_000);
    const { chain } = await orderCertificate(account, {
      ...{ name: "*.shop.test", solvers: [new HttpChallenge(store), solver], keyType: "p256", signal },
      replaces: undefined,
    });
    account.close();
    assertEquals(new X509Certificate(chain).subjectAltName, "DNS:*.shop.test");
    const lines = (await Deno.readTextFile(calls)).trim().split("\n").map((line) => line.split(" "));
    assertEquals(lines.map(([zone, action, name]) => [zone, action, name]), [
      ["--zone=shop", "present", "_acme-challenge.shop.test"],
      ["--zone=shop", "cleanup", "_acme-challenge.shop.test"],
    ]);
    await Deno.remove(folder, { recursive: true });
  },
);

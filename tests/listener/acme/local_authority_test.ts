/**
 * The local authority: one for all processes of a store, whose certificates OpenSSL takes.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { FolderStore } from "../../../lib/listener/acme/folder_store.ts";
import { LocalAuthority } from "../../../lib/listener/acme/local_authority.ts";
import { storageFolder } from "../../../lib/listener/acme/storage_folder.ts";
import { inTemporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("LocalAuthority is made once, however many processes want it, and kept for ten years", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const all = Array.from({ length: 5 }, () => new LocalAuthority(new FolderStore(folder)));
    const certificates = await Promise.all(all.map((one) => one.certificate()));
    assertEquals(new Set(certificates).size, 1);
    const years = (Date.parse(new X509Certificate(certificates[0]).validTo) - Date.now()) / (365 * 86_400_000);
    assertEquals(years > 9.9 && years < 10.1, true);
    if (Deno.build.os === "windows") return;
    assertEquals(((await Deno.stat(`${folder}/local/authority.pem`)).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("LocalAuthority.issue() issues short-lived certificates for names and addresses", async () => {
  await inTemporaryFolder({}, async (folder) => {
    const authority = new LocalAuthority(new FolderStore(folder));
    const root = new X509Certificate(await authority.certificate());
    for (const name of ["localhost", "*.localhost", "127.0.0.1", "::1", `${"a".repeat(63)}.${"b".repeat(63)}.test`]) {
      const { certificate } = await authority.issue(name);
      const leaf = new X509Certificate(certificate.chain);
      assertEquals([certificate.names, certificate.origin], [[name], "internal"]);
      assertEquals([leaf.checkIssued(root), leaf.verify(root.publicKey)], [true, true]);
      const days = (certificate.notAfterMs - Date.now()) / 86_400_000;
      assertEquals(days > 6.9 && days <= 7, true);
    }
  });
});

Deno.test("LocalAuthority does not replace a file that it cannot read", async () => {
  await inTemporaryFolder({ "local/authority.pem": "not PEM" }, async (folder) => {
    await assertRejects(
      () => new LocalAuthority(new FolderStore(folder)).issue("localhost"),
      Error,
      "Cannot use the local",
    );
    assertEquals(await Deno.readTextFile(`${folder}/local/authority.pem`), "not PEM");
  });
});

Deno.test("storageFolder() is that of the service, or of the user", () => {
  const folder = (variables: Record<string, string>, os: typeof Deno.build.os = "linux") =>
    storageFolder((name) => variables[name], os);
  assertEquals(folder({ STATE_DIRECTORY: "/var/lib/bws:/var/lib/x", HOME: "/root" }), "/var/lib/bws");
  assertEquals(folder({ XDG_DATA_HOME: "/data", HOME: "/root" }), "/data/bws");
  assertEquals(folder({ HOME: "/root", XDG_DATA_HOME: "" }), "/root/.local/share/bws");
  assertEquals(folder({ HOME: "/Users/a" }, "darwin"), "/Users/a/Library/Application Support/bws");
  assertEquals(folder({ USERPROFILE: "C:/a", LOCALAPPDATA: "C:/a/Local" }, "windows"), "C:/a/Local/bws");
  try {
    folder({});
    throw new Error("expected an error");
  } catch (error) {
    assertEquals((error as Error).message, "Cannot find a folder for certificates: set acme.storage, or HOME");
  }
});

/**
 * The users and passwords of URLs, which are never shown.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { maskLine, withoutUsers } from "../../lib/config/secret_names.ts";

Deno.test("a password in a URL is masked up to the last @, which ends it for parsers", () => {
  assertEquals(withoutUsers("redis://u:p@ss@host:6379/0"), "redis://u:********@host:6379/0");
  assertEquals(maskLine('url = "redis://u:p@ss@host/0"'), 'url = "redis://******@host/0"');
  assertEquals(withoutUsers("http://a.test/x@y and http://b.test"), "http://a.test/x@y and http://b.test");
});

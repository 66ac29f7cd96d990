/**
 * Replies of Redis, whole, in pieces, and such as are none.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { RedisError, type RedisReply, ReplyReader } from "../../lib/redis/reply_reader.ts";
import { parseRedisUrl } from "../../lib/redis/redis_url.ts";

const REPLIES = "+OK\r\n:-7\r\n$-1\r\n$0\r\n\r\n$5\r\na\r\n✓".replace("$5", "$6") +
  "\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n" +
  "-ERR no\r\n";
const READ = ["OK", -7, null, "", "a\r\n✓", null, [], [1, ["x"]], "RedisError: ERR no"];

function read(pieces: Iterable<Uint8Array>): RedisReply[] {
  const reader = new ReplyReader();
  const replies: RedisReply[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let reply; (reply = reader.next()) !== undefined;) {
      replies.push(reply instanceof RedisError ? String(reply) : reply);
    }
  }
  return replies;
}

Deno.test("ReplyReader.next() reads all kinds of replies, however their bytes are cut", () => {
  const bytes = new TextEncoder().encode(REPLIES);
  assertEquals(read([bytes]), READ);
  assertEquals(read(Array.from(bytes, (byte) => Uint8Array.of(byte))), READ);
  for (let at = 0; at <= bytes.length; at++) assertEquals(read([bytes.slice(0, at), bytes.slice(at)]), READ);
});

Deno.test("ReplyReader.next() refuses what is no reply, and lists without end", () => {
  for (const text of ["HTTP/1.1 400 Bad Request\r\n", "\r\n", ":x\r\n", "$1e9\r\n", "*1\r\n".repeat(100)]) {
    assertThrows(() => read([new TextEncoder().encode(text)]), Error, "of Redis");
  }
  const reader = new ReplyReader();
  reader.push(new TextEncoder().encode("$99999999999\r\n"));
  assertThrows(
    () => {
      for (let i = 0; i < 17; i++) {
        assertEquals(reader.next(), undefined);
        reader.push(new Uint8Array(1 << 20));
      }
    },
    Error,
    "longer than 16 MiB",
  );
});

Deno.test("ReplyReader.next() leaves out the words of a command that an error repeats: of AUTH that is the password", () => {
  const error = "-ERR unknown command 'AUTH', with args beginning with: 'secret' \r\n";
  assertEquals(read([new TextEncoder().encode(error)]), ["RedisError: ERR unknown command 'AUTH'"]);
});

Deno.test("parseRedisUrl() reads user, password, port and database", () => {
  assertEquals(parseRedisUrl("redis://cache.internal"), {
    ...{ tls: false, hostname: "cache.internal", port: 6379, database: 0 },
    ...{ username: undefined, password: undefined },
  });
  assertEquals(parseRedisUrl("rediss://bws:p%40s%2Fs@[::1]:7000/3"), {
    ...{ tls: true, hostname: "::1", port: 7000, database: 3, username: "bws", password: "p@s/s" },
  });
  for (
    const text of [
      "http://a",
      "redis://",
      "redis:a",
      "redis://a/b",
      "redis://a/1/2",
      "redis://a?x",
      "redis://%:b@a",
      "",
    ]
  ) {
    assertEquals(parseRedisUrl(text), undefined, text);
  }
});

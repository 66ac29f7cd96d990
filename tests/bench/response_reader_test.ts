import { assertEquals, assertThrows } from "@std/assert";
import { HttpReader, ResponseShape } from "../../bench/load/response_reader.ts";

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

/** What a reader of a plan says of each piece. */
function taken(pieces: readonly string[], reader = new HttpReader(new ResponseShape({ status: 200, answerBytes: 5 }))) {
  return pieces.map((piece) => {
    const bytes = new TextEncoder().encode(piece);
    return reader.take(bytes, 0, bytes.length);
  });
}

Deno.test("HttpReader.take() says when a response is complete, however it is cut", () => {
  const whole = HEAD + "hello";
  assertEquals(taken([whole, whole]), [true, true]);
  for (let cut = 1; cut < whole.length; cut++) {
    // The head is not known yet in the first response, and known in the second.
    assertEquals(taken([whole.slice(0, cut), whole.slice(cut), whole.slice(0, cut), whole.slice(cut)]), [
      ...[false, true],
      ...[false, true],
    ]);
  }
});

Deno.test("HttpReader.take() parses a head of another length than the one before", () => {
  assertEquals(taken([HEAD + "hello", HEAD.replace("\r\n", "\r\nAge: 1\r\n") + "hello", HEAD + "hello"]), [
    ...[true, true, true],
  ]);
});

Deno.test("HttpReader.take() reads chunks to the last", () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  assertEquals(taken([head + "5\r\nhello\r\n", "0\r\n", "\r\n", head + "5\r\nhello\r\n0\r\n\r\n"]), [
    ...[false, false, true, true],
  ]);
});

Deno.test("HttpReader.take() throws at another status, another length, and bytes behind a response", () => {
  const whole = HEAD + "hello";
  assertThrows(() => taken([whole, whole.replace("200", "502")]), Error, "status 502");
  assertThrows(() => taken([whole.replace(": 5", ": 6")]), Error, "content-length 6");
  assertThrows(() => taken([whole + "H"]), Error, "more bytes than expected");
});

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { brokenConnection } from "../../lib/failure/failure.ts";
import { shortageOf } from "../../lib/failure/shortage.ts";
import { failureClassOf } from "../../lib/upstream/condition/failure_class.ts";

function errorWith(code: string | undefined, message: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

Deno.test("shortageOf() knows what a machine may lack, as the runtime reports it", () => {
  const errors: [code: string | undefined, message: string, found: string][] = [
    ["EMFILE", "Too many open files (os error 24)", "EMFILE"],
    [undefined, "Too many open files in system (os error 23)", "ENFILE"],
    ["ENOMEM", "Cannot allocate memory (os error 12)", "ENOMEM"],
    ["ENOBUFS", "No buffer space available (os error 105)", "ENOBUFS"],
    ["EADDRNOTAVAIL", "Cannot assign requested address (os error 99)", "EADDRNOTAVAIL"],
    ["EAGAIN", "Resource temporarily unavailable (os error 11)", "EAGAIN"],
    [undefined, "proto error: io error: Too many open files (os error 24)", "EMFILE"],
    ["EMFILE", "connect EMFILE 127.0.0.1:41361", "EMFILE"],
  ];
  for (const [code, message, found] of errors) {
    assertEquals(shortageOf(errorWith(code, message))?.code, found, message);
    assertEquals(shortageOf(new Error("outer", { cause: errorWith(code, message) }))?.code, found);
  }
});

Deno.test("shortageOf() blames an upstream for what is the upstream's", () => {
  for (
    const error of [
      errorWith("ECONNREFUSED", "Connection refused (os error 111)"),
      errorWith("EHOSTUNREACH", "No route to host (os error 113)"),
      errorWith("ECONNRESET", "Connection reset by peer (os error 104)"),
      errorWith(undefined, "failed to lookup address information: Name or service not known"),
      "text",
      undefined,
    ]
  ) assertEquals(shortageOf(error), undefined);
});

Deno.test("a connection that breaks for what this machine lacks is no strike against the upstream", () => {
  const failure = brokenConnection("closed_unanswered", "The upstream closed", errorWith("ENOBUFS", "No buffer space"));
  assertEquals([failure.kind, failure.owner, failureClassOf(failure, false)], ["dropped", "proxy", undefined]);
  assertMatch(failure.message, /no buffers left for sockets \(ENOBUFS\)/);
  const real = brokenConnection("closed_unanswered", "The upstream closed", errorWith("ECONNRESET", "reset"));
  assertEquals([real.kind, failureClassOf(real, false)], ["closed_unanswered", "broken"]);
});

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { formatProblems, type Problem } from "../../lib/config/problem.ts";

const PROBLEM: Problem = {
  severity: "error",
  file: "bws.toml",
  line: 2,
  column: 8,
  length: 5,
  sourceLine: "port = 70000",
  path: "sites[0].port",
  message: "port is 70000",
  expected: "a whole number from 0 to 65535",
};

Deno.test("formatProblems() marks the offending text, under tabs too", () => {
  const tabbed = { ...PROBLEM, sourceLine: "\tport = 70000", column: 9, severity: "warning" as const };
  assertEquals(
    formatProblems([PROBLEM, tabbed]),
    [
      "bws.toml:2:8: error: port is 70000, expected a whole number from 0 to 65535",
      "     2 | port = 70000",
      "       |        ^^^^^",
      "bws.toml:2:9: warning: port is 70000, expected a whole number from 0 to 65535",
      "     2 | \tport = 70000",
      "       | \t       ^^^^^",
    ].join("\n"),
  );
});

Deno.test("formatProblems() uses colours only where its options say so", () => {
  // deno-lint-ignore no-control-regex
  const escapes = /\x1b\[\d+m/g;
  assert(!escapes.test(formatProblems([PROBLEM])));
  const colored = formatProblems([PROBLEM], { color: true });
  assert(escapes.test(colored));
  assertEquals(colored.replace(escapes, ""), formatProblems([PROBLEM]));
});

Deno.test("formatProblems() names the key path where there is no line", () => {
  const problem = { ...PROBLEM, file: "", line: 0, column: 0, length: 0, sourceLine: "" };
  assertEquals(
    formatProblems([problem]),
    "sites[0].port: error: port is 70000, expected a whole number from 0 to 65535",
  );
});

Deno.test("formatProblems() cuts long lines around the mark", () => {
  const sourceLine = `${"a".repeat(5000)}BAD${"c".repeat(5000)}`;
  const [, source, marks] = formatProblems([{ ...PROBLEM, sourceLine, column: 5001, length: 3 }]).split("\n");
  assert(source.length < 200);
  assertEquals(source.slice(marks.indexOf("^"), marks.lastIndexOf("^") + 1), "BAD");
});

Deno.test("formatProblems() passes no control characters to the terminal", () => {
  const printed = formatProblems([{ ...PROBLEM, sourceLine: "\x1b[2Jport = 1\u202e", message: "found \x1b[2J\x07" }]);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x08\x0b-\x1f\u202e]/.test(printed));
});

Deno.test("formatProblems() counts what it does not print", () => {
  const lines = formatProblems(new Array(120).fill(PROBLEM), { maxProblems: 2 }).split("\n");
  assertEquals(lines.length, 7);
  assertEquals(lines[6], "… and 118 more");
});

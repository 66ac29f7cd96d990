/**
 * Configs whose offending text is marked with «…», so that a test shows the place instead of counting columns.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { ParseConfigOptions } from "../../lib/config/read_config.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { type Problem, sentenceOf } from "../../lib/config/problem.ts";

/** Where a mark stood. */
interface Mark {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** Checks a marked config: its errors are exactly these sentences, one for each mark, in order. */
export function assertErrors(marked: string, sentences: string[], options: ParseConfigOptions = {}): void {
  const { text, marks } = unmark(marked);
  const report = parseConfig(text, { checkFiles: false, ...options });
  assertProblems(report.problems, sentences, marks, text);
  assertEquals(report.config, undefined);
}

/** Checks a marked config: it is accepted, and its warnings are exactly these, one for each mark, in order. */
export function assertWarnings(marked: string, sentences: string[], options: ParseConfigOptions = {}): void {
  const { text, marks } = unmark(marked);
  const report = parseConfig(text, { checkFiles: false, ...options });
  assertEquals(report.problems.map(sentenceOf), []);
  assertProblems(report.warnings, sentences, marks, text);
}

/** A site that proxies, to which tests add what they are about. */
export const PROXY = `[[sites]]
[sites.proxy]
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:3000"
[[sites.proxy.routes]]
path = "/"
upstream = "app"
`;

function assertProblems(problems: Problem[], sentences: string[], marks: Mark[], text: string): void {
  assertEquals(problems.map(sentenceOf), sentences);
  assertEquals(problems.map(({ line, column, length }) => ({ line, column, length })), marks);
  const lines = text.split("\n");
  for (const { file, line, sourceLine } of problems) {
    assertEquals({ file, sourceLine }, { file: "config.toml", sourceLine: lines[line - 1] });
  }
}

function unmark(marked: string): { text: string; marks: Mark[] } {
  const marks: Mark[] = [];
  const lines = marked.split("\n").map((source, index) => {
    let line = source;
    for (let start = line.indexOf("«"); start >= 0; start = line.indexOf("«")) {
      const end = line.indexOf("»");
      marks.push({ line: index + 1, column: start + 1, length: end - start - 1 });
      line = line.slice(0, start) + line.slice(start + 1, end) + line.slice(end + 1);
    }
    return line;
  });
  return { text: lines.join("\n"), marks };
}

/**
 * Header fields of some files, by their names and folders, and which files are downloads. Requests have no cost: the lines are
 * kept with the file.
 *
 * @module
 */

import type { z } from "zod";
import { type Fault, flag, judged, list, table, tables } from "../config/fields.ts";
import { headerTable } from "../config/header_fields.ts";
import type { Filter } from "../exchange/filter.ts";
import { setHeader } from "../http/header_lines.ts";
import type { HeaderLines } from "../http/message.ts";
import { attachment } from "../http/content_disposition.ts";
import type { Feature } from "./feature.ts";

const MATCH = 'a file name such as "*.pdf" or "report.csv", or a path such as "/downloads/*"';

const ruleSchema = table({
  match: list(judged(matchFault, MATCH), "a list of file names and paths").min(1, {
    error: "at least one name or path",
  })
    .describe(
      'Which files: names such as "*.pdf", compared without case, or paths below static_dir such as "/fonts/*".',
    ),
  headers: headerTable().prefault({}).describe("Header fields of these files."),
  download: flag().default(false).describe(
    "Whether browsers save these files under their name and do not show them (Content-Disposition: attachment).",
  ),
});

const schema = tables(ruleSchema).prefault([]).describe(
  "Header fields of some files of static_dir; all rules that fit apply, and of two values for one field the later one.",
);

type FileRulesConfig = z.output<typeof schema>;

/** `[[sites.file_rules]]`. */
export const fileRules = {
  key: "file_rules",
  scopes: ["site"],
  // After Cache-Control, whose value a rule may replace.
  order: 710,
  schema,
  check(options, report) {
    options.forEach(({ headers, download }, index) => {
      if (Object.keys(headers).length === 0 && !download) {
        report.error([index], { message: "the rule does nothing", expected: "headers, download = true, or both" });
      }
      for (const name of Object.keys(headers)) {
        if (!OF_THE_FILE.has(name.toLowerCase())) continue;
        const expected = name.toLowerCase() === "content-type" ? "media_types in [[sites]]" : "another field";
        report.error([index, "headers", name], { message: `${name} tells what the file is`, expected });
      }
    });
  },
  compile: (options) => options.length === 0 ? undefined : new FileRules(options),
} as const satisfies Feature<FileRulesConfig>;

/** Fields that the file itself determines. */
const OF_THE_FILE: ReadonlySet<string> = new Set([
  ...["accept-ranges", "content-encoding", "content-length", "content-range", "content-type", "etag", "last-modified"],
]);

class FileRules implements Filter {
  readonly #rules: readonly Rule[];

  constructor(options: FileRulesConfig) {
    this.#rules = options.map(({ match, headers, download }) => ({
      patterns: match.map(patternOf),
      lines: Object.entries(headers).flat(),
      download,
    }));
  }

  /** The lines of a file; those of a folder's list are of rules for paths alone. */
  fileLines(path: string): readonly string[] {
    const lines: HeaderLines = [];
    const name = path.slice(path.lastIndexOf("/") + 1);
    for (const rule of this.#rules) {
      if (!rule.patterns.some(({ ofName, expression }) => expression.test(ofName ? name : path))) continue;
      for (let i = 0; i < rule.lines.length; i += 2) setHeader(lines, rule.lines[i], rule.lines[i + 1]);
      if (rule.download && name !== "") setHeader(lines, "content-disposition", attachment(name));
    }
    return lines;
  }
}

interface Rule {
  readonly patterns: readonly Pattern[];
  readonly lines: readonly string[];
  readonly download: boolean;
}

interface Pattern {
  /** Whether it is for the last segment alone. */
  readonly ofName: boolean;
  readonly expression: RegExp;
}

/** A `*` stands for any text within a segment, and at the end of a path for any rest. */
function patternOf(source: string): Pattern {
  const ofName = !source.startsWith("/");
  const rest = !ofName && source.endsWith("*");
  const parts = (rest ? source.slice(0, -1) : source).split("*").map((text) => text.replace(/[^\w/]/gu, "\\$&"));
  const text = parts.join("[^/]*") + (rest ? ".*" : "");
  return { ofName, expression: new RegExp(`^${text}$`, ofName ? "is" : "s") };
}

function matchFault(value: string): Fault | undefined {
  if (value === "" || value === "*" || value === "/") return { expected: MATCH };
  if (!value.startsWith("/") && value.includes("/")) return { expected: MATCH, suggestion: `/${value}` };
  return /^\.\w+$/.test(value) ? { expected: MATCH, suggestion: `*${value}` } : undefined;
}

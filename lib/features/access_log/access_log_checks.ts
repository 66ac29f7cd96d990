/**
 * Checks of `access_log` tables, each with what it takes from the site and the server, and of the rotation of log files.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { nearestName } from "../../config/nearest_name.ts";
import type { ProblemList } from "../../config/problem_list.ts";
import {
  child,
  nodeAt,
  plainValue,
  type SourceNode,
  type TableNode,
  tableOf,
  tablesOf,
  textNode,
} from "../../config/source_tree.ts";
import { isSyslog } from "../../log/syslog_target.ts";
import { ACCESS_FIELDS } from "./access_fields.ts";
import { compileFormat } from "./access_format.ts";
import { accessLogSchema, type AccessLogSettings, settingsOf } from "./access_log_schema.ts";
import { compileLogText } from "./log_text.ts";

/** Checks rotation, and every `access_log`. */
export const checkAccessLogs: ConfigCheck = (root, problems) => {
  const logging = tableOf(root, "logging");
  checkRotation(tableOf(logging, "rotate"), problems);
  const checks = new AccessLogChecks(logging, problems);
  const ofServer = checks.check(logging, {});
  for (const site of tablesOf(root, "sites")) {
    const ofSite = checks.check(site, ofServer);
    for (const route of tablesOf(tableOf(site, "proxy"), "routes")) checks.check(route, ofSite);
  }
};

function checkRotation(rotate: TableNode | undefined, problems: ProblemList): void {
  if (rotate === undefined || child(rotate, "size") !== undefined || child(rotate, "every") !== undefined) return;
  problems.error(rotate, {
    message: "[logging.rotate] has neither size nor every",
    expected: "when files are rotated",
  });
}

class AccessLogChecks {
  readonly #problems: ProblemList;
  readonly #output: string;
  readonly #format: string;
  /** Headers of W3C extended log files, by their path. */
  readonly #headers = new Map<string, string>();

  constructor(logging: TableNode | undefined, problems: ProblemList) {
    this.#problems = problems;
    this.#output = textNode(logging, "output")?.value ?? "stdout";
    this.#format = textNode(logging, "format")?.value ?? "json";
  }

  /** Checks the table of `owner`, and gives its settings. */
  check(owner: TableNode | undefined, inherited: AccessLogSettings): AccessLogSettings {
    const node = child(owner, "access_log");
    if (node === undefined) return inherited;
    const { success, data } = accessLogSchema.safeParse(plainValue(node));
    if (!success) return inherited;
    const settings = { ...inherited, ...settingsOf(data) };
    if (this.#checkFields(node, settings)) this.#checkFormat(node, settings);
    return settings;
  }

  /** Whether the fields are known. */
  #checkFields(node: SourceNode, { fields }: AccessLogSettings): boolean {
    if (fields === undefined) return true;
    let known = true;
    for (const [key, value] of Object.entries(fields)) {
      const message = Array.isArray(fields) ? unknownField(value) : textFault(value);
      if (message === undefined) continue;
      known = false;
      const step = Array.isArray(fields) ? Number(key) : key;
      const suggestion = Array.isArray(fields) ? nearestName(value, Object.keys(ACCESS_FIELDS)) : undefined;
      this.#problems.error(nodeAt(node, ["fields", step]), {
        message,
        expected: Array.isArray(fields) ? Object.keys(ACCESS_FIELDS).join(", ") : "text with placeholders",
        suggestion,
      });
    }
    return known;
  }

  #checkFormat(node: SourceNode, settings: AccessLogSettings): void {
    const { format = this.#format, output = this.#output, fields, request_headers, response_headers } = settings;
    const fixed = format !== "json" && format !== "w3c";
    if (fixed) {
      for (const [key, value] of Object.entries({ fields, request_headers, response_headers })) {
        if (value === undefined) continue;
        this.#problems.error(nodeAt(node, [key]), {
          message: `${key} has no effect in this format, whose fields are fixed`,
          expected: 'format = "json" or "w3c"',
        });
      }
      return;
    }
    if (format !== "w3c") return;
    const place = nodeAt(node, ["format"]);
    if (output === this.#output || isSyslog(output)) {
      return this.#problems.error(place, {
        message: 'the format "w3c" is for files with these lines alone, as their first lines name the fields',
        expected: "an output that is not that of [logging], and no syslog server",
      });
    }
    if (fields !== undefined && !Array.isArray(fields) && Object.keys(fields).some((name) => /[\s"#]/.test(name))) {
      return this.#problems.error(nodeAt(node, ["fields"]), {
        message: "a name of a field has a space, a quote or #",
        expected: 'names such as "c-ip" or "x-cache"',
      });
    }
    const { header = "" } = compileFormat(format, settings);
    const other = this.#headers.get(output);
    if (other !== undefined && other !== header) {
      this.#problems.error(place, {
        message: `two access logs with other fields write to ${JSON.stringify(output)}`,
        expected: "the same fields, or a file for each",
      });
    }
    this.#headers.set(output, header);
  }
}

function unknownField(name: string): string | undefined {
  return Object.hasOwn(ACCESS_FIELDS, name) ? undefined : `the access log has no field ${JSON.stringify(name)}`;
}

function textFault(source: string): string | undefined {
  try {
    compileLogText(source, []);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * The table `access_log` of the server, of a site and of a route. It has no defaults: what a route does not set is the site's, and
 * what a site does not set the server's.
 *
 * @module
 */

import { z } from "zod";
import { duration, type Fault, flag, judged, list, table, text, token } from "../../config/fields.ts";
import { nearestName, oneOf } from "../../config/nearest_name.ts";
import { isSecretField } from "../../config/secret_names.ts";
import { isSyslog, SYSLOG_FORMS, syslogTarget } from "../../log/syslog_target.ts";
import { statusRanges } from "../../upstream/config/status_range.ts";
import { PathPattern } from "../path_pattern.ts";
import { logTextFault } from "./log_text.ts";

/** Formats that have a name. */
export const ACCESS_FORMATS = ["json", "combined", "common", "w3c"] as const;

const OUTPUT = `"stdout", "stderr", the path of a file, or a syslog server: ${SYSLOG_FORMS}`;
const FORMAT = `${oneOf(ACCESS_FORMATS)}, or a text with placeholders such as "{client.ip} {status}"`;
const FIELDS = 'a list of names such as ["time", "client", "status"], or a table of names and texts with placeholders';
const SAMPLE = "a number from 0 to 1";
const PATH = 'a path such as "/health", "/health/*" or "/jobs/:id", or "~" and an expression';

/** The name of an output. */
export function output() {
  return judged(outputFault, OUTPUT);
}

/** The keys of `access_log`. */
export const accessLogKeys = table({
  enabled: flag().optional().describe(
    "Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own.",
  ),
  output: output().optional().describe(
    "Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too.",
  ),
  format: judged(formatFault, FORMAT).optional().describe(
    'Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. ' +
      "Default: logging.format.",
  ),
  fields: z.union(
    [list(text()).min(1, { error: "at least one name" }), z.record(text(), z.string({ error: FIELDS }))],
    {
      error: FIELDS,
    },
  ).optional().describe(
    'Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each.',
  ),
  request_headers: list(token("the name of a header field", secretFault)).optional().describe(
    'Header fields of requests that are added to lines in "json" and "w3c"; none with secrets.',
  ),
  response_headers: list(token("the name of a header field", secretFault)).optional().describe(
    'Header fields of responses that are added to lines in "json" and "w3c"; none with secrets.',
  ),
  sample: z.number({ error: SAMPLE }).min(0, { error: SAMPLE }).max(1, { error: SAMPLE }).optional().describe(
    "Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are.",
  ),
  skip_status: statusRanges().optional().describe("Statuses whose lines are not written."),
  skip_paths: list(judged(pathFault, PATH)).optional().describe(
    "Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host.",
  ),
  slow: duration().optional().describe(
    'Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets.',
  ),
});

/** `access_log`, as it is written. */
export const accessLogSchema = z.union([flag(), output(), accessLogKeys], {
  error: "true, false, an output or a table",
}).optional().describe("Lines of the access log; false for none, a text for another output.");

/** Settings of an access log. */
export type AccessLogSettings = z.output<typeof accessLogKeys>;

/** The settings that a table, or what stands for one, means. */
export function settingsOf(value: z.output<typeof accessLogSchema>): AccessLogSettings {
  if (value === undefined) return {};
  if (typeof value === "boolean") return { enabled: value };
  return typeof value === "string" ? { output: value } : value;
}

function outputFault(value: string): Fault | undefined {
  if (value === "") return { expected: OUTPUT };
  return isSyslog(value) && syslogTarget(value) === undefined ? { expected: SYSLOG_FORMS } : undefined;
}

function formatFault(value: string): Fault | undefined {
  if ((ACCESS_FORMATS as readonly string[]).includes(value)) return undefined;
  if (!value.includes("{")) return { expected: FORMAT, suggestion: nearestName(value, ACCESS_FORMATS) };
  if (/^\s*\{\s*"/.test(value)) {
    return { message: "is JSON, whose values would need escapes", expected: 'format = "json" with a table of fields' };
  }
  return logTextFault(value);
}

function secretFault(name: string): Fault | undefined {
  if (!isSecretField(name)) return undefined;
  return { message: `is ${JSON.stringify(name)}, which holds secrets`, expected: "a header field without secrets" };
}

function pathFault(value: string): Fault | undefined {
  try {
    new PathPattern(value);
    return undefined;
  } catch (error) {
    return { message: `is not valid: ${(error as Error).message}`, expected: PATH };
  }
}

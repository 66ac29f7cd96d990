/**
 * `${NAME}` and `${NAME:-default}` in the text values of a config file, so that secrets and addresses can come from the
 * environment. `$${` stands for a literal `${`. A dollar sign without a brace means itself.
 *
 * @module
 */

import type { ProblemDetails, ProblemList } from "./problem_list.ts";
import { isTextNode, type ScalarNode, type SourceNode, type Span, type TextNode } from "./source_tree.ts";

/** Looks up an environment variable. */
export type ReadVariable = (name: string) => string | undefined;

// The third alternative matches an invalid substitution.
const SUBSTITUTION = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}\r\n]{0,1024}))?\}|\$\{[^}\s"']*\}?/g;

// Maximum number of problems for one text.
const MAX_REPORTS = 20;

/** Reads the environment of the process. Throws for a variable that may not be read. */
export function readEnvironment(name: string): string | undefined {
  return Deno.env.get(name);
}

/**
 * Substitutes variables in all text below `node`, in place. As in a shell, an empty variable counts as unset for `:-`.
 * Substituted values, including defaults, are marked in the tree and passed to `problems`, so that they are never shown.
 */
export function substitute(node: SourceNode, read: ReadVariable, problems: ProblemList): void {
  if (node.kind === "table") {
    for (const entry of node.entries.values()) substitute(entry.node, read, problems);
  } else if (node.kind === "list") {
    for (const item of node.items) substitute(item, read, problems);
  } else if (isTextNode(node) && node.value.includes("${")) {
    substituteText(node, read, problems);
  }
}

function substituteText(node: TextNode, read: ReadVariable, problems: ProblemList): void {
  const target: ScalarNode = node;
  const text = node.value;
  let spans: (Span | undefined)[] | undefined;
  let count = 0;
  let shown = "";
  let seen = 0;
  let found = false;
  const put = (value: string, name: string) => {
    problems.hide(value, `\${${name}}`);
    return value;
  };
  target.value = text.replace(SUBSTITUTION, (whole: string, name?: string, fallback?: string, at = 0) => {
    const index = count++;
    shown += text.slice(seen, at) + (whole === "$${" ? "${" : `\${${name}}`);
    seen = at + whole.length;
    const fail = (details: ProblemDetails) => {
      spans ??= substitutionSpans(node);
      problems.error({ path: node.path, span: spans[index] ?? node.span }, details, { repeat: index < MAX_REPORTS });
      target.poisoned = true;
      return "";
    };
    if (whole === "$${") return "${";
    if (name === undefined) {
      const expected = "${NAME}, ${NAME:-default}, or $${ for a literal ${";
      return fail({ message: `${JSON.stringify(clip(whole))} is no substitution`, expected });
    }
    const value = lookUp(name, read);
    if (value instanceof Error) {
      const expected = "the permission --allow-env";
      return fail({ message: `environment variable ${clip(name)} may not be read`, expected });
    }
    found = true;
    if (fallback !== undefined) return put(value === undefined || value === "" ? fallback : value, name);
    if (value !== undefined) return put(value, name);
    const expected = `a value, or a default as in \${${clip(name)}:-default}`;
    return fail({ message: `environment variable ${clip(name)} is not set`, expected });
  });
  if (!found) return;
  target.substituted = shown + text.slice(seen);
  problems.hide(target.value as string, target.substituted);
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function lookUp(name: string, read: ReadVariable): string | undefined | Error {
  try {
    return read(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.PermissionDenied) return error;
    throw error;
  }
}

/** The positions of the substitutions inside the quotes, in order. */
function substitutionSpans(node: ScalarNode): (Span | undefined)[] {
  if (node.span === undefined || node.raw === undefined) return [];
  let { line, column } = node.span;
  let seen = 0;
  const spans: Span[] = [];
  for (const match of node.raw.matchAll(SUBSTITUTION)) {
    const between = node.raw.slice(seen, match.index).split("\n");
    line += between.length - 1;
    column = between[between.length - 1].length + (between.length === 1 ? column : 1);
    spans.push({ line, column, length: match[0].length });
    column += match[0].length;
    seen = match.index + match[0].length;
  }
  return spans;
}

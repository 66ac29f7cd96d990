/**
 * Turns the issues that the schema reports into problems with a position.
 *
 * @module
 */

import type { z } from "zod";
import { nearestName } from "./nearest_name.ts";
import { oneInsteadOfList, valueOfOtherTool } from "./other_values.ts";
import { describeNode, type ProblemDetails, type ProblemList, shortName } from "./problem_list.ts";
import { tableName, type UnknownKey } from "./unknown_keys.ts";
import type { Entry, KeyPath, SourceNode, TableNode } from "./source_tree.ts";

type Issue = z.core.$ZodIssue;

/** The place of an issue in the tree. */
interface Found {
  /** The deepest node on the path. */
  readonly node: SourceNode;
  /** Its key, where it has one. */
  readonly entry?: Entry;
  /** Whether this is the node at the path itself. */
  readonly whole: boolean;
}

/** Options of {@linkcode reportIssues}. */
export interface IssueContext {
  readonly root: TableNode;
  readonly problems: ProblemList;
  /** Unknown keys. Those that explain a missing key are reported with it and removed. */
  readonly unknownKeys: UnknownKey[];
  /** Whether the tree lacks parts of the file, so that no key is reported as missing. */
  readonly incomplete: boolean;
}

/** Reports each issue at its text. Issues of a node that has a problem already are dropped. */
export function reportIssues(issues: readonly Issue[], context: IssueContext): void {
  for (const issue of issues) reportIssue(issue, issue.path as KeyPath, context);
}

function reportIssue(issue: Issue, path: KeyPath, context: IssueContext): void {
  const inner = issue.code === "invalid_union" ? innerIssues(issue) : [];
  if (inner.length > 0) {
    for (const one of inner) reportIssue(one, [...path, ...one.path as KeyPath], context);
    return;
  }
  const found = find(context.root, path);
  if (found.node.kind === "scalar" && found.node.poisoned) return;
  if (!found.whole) return reportMissing(issue, path, found.node, context);
  if (issue.code === "invalid_key") {
    const message = `invalid key ${JSON.stringify(clip(String(path.at(-1))))} in ${tableName(path.slice(0, -1))}`;
    const place = { path, span: found.entry?.keySpan ?? found.node.span };
    return context.problems.error(place, { message, expected: issue.issues[0]?.message });
  }
  context.problems.error(found.node, issueDetails(issue, found.node));
}

/** The issues of the alternative whose outer type fits. */
function innerIssues(issue: z.core.$ZodIssueInvalidUnion): Issue[] {
  return issue.errors.find((issues) => issues.length > 0 && issues.every((one) => one.path.length > 0)) ?? [];
}

function find(root: TableNode, path: KeyPath): Found {
  let node: SourceNode = root;
  let entry: Entry | undefined;
  for (const step of path) {
    let next: SourceNode | undefined;
    entry = undefined;
    if (node.kind === "table") {
      entry = node.entries.get(String(step));
      next = entry?.node;
    } else if (node.kind === "list") {
      next = node.items[Number(step)];
    }
    if (next === undefined) return { node, whole: false };
    node = next;
  }
  return { node, entry, whole: true };
}

function reportMissing(issue: Issue, path: KeyPath, table: SourceNode, context: IssueContext): void {
  const key = String(path.at(-1));
  const slip = context.unknownKeys.find((unknown) => unknown.table === table && unknown.suggestion === key);
  if (slip !== undefined) {
    context.unknownKeys.splice(context.unknownKeys.indexOf(slip), 1);
    const { message, suggestion } = slip;
    return context.problems.error({ path, span: slip.place.span }, { message, suggestion });
  }
  if (context.incomplete) return;
  const message = path.length === 1 ? `${key} is missing` : `${tableName(table.path)} has no key "${key}"`;
  context.problems.error({ path, span: table.span }, { message, expected: withHeader(issue.message, path) });
}

function issueDetails(issue: Issue, node: SourceNode): ProblemDetails {
  const name = shortName(node.path);
  const params: Record<string, unknown> = issue.code === "custom" ? issue.params ?? {} : {};
  const described = `${name} is ${describeNode(node, issue.code === "too_small")}`;
  // A message about a value may contain a part of it.
  if (node.kind === "scalar" && node.substituted !== undefined) {
    return { message: described, expected: withHeader(issue.message, node.path) };
  }
  const message = typeof params.found === "string" ? `${name} ${params.found}` : described;
  const suggestion = typeof params.suggestion === "string" ? params.suggestion : nearestValue(issue, node);
  return { message, expected: expectedOf(issue, node), suggestion };
}

/** What was expected; and if only the notation is wrong, the right one. */
function expectedOf(issue: Issue, node: SourceNode): string {
  if (node.kind === "list") return oneInsteadOfList(node.path) ?? withHeader(issue.message, node.path);
  const stated = withHeader(issue.message, node.path);
  if (issue.code !== "invalid_type" || node.kind !== "scalar" || typeof node.value !== "string") return stated;
  const text = node.value.trim();
  const word = text.toLowerCase();
  if (issue.expected === "boolean") {
    if (["true", "yes", "on", "1"].includes(word)) return "true, without quotes";
    if (["false", "no", "off", "0"].includes(word)) return "false, without quotes";
  }
  const numeric = issue.expected === "number" || issue.expected === "int";
  if (numeric && /^-?\d+$/.test(text)) return `${stated}, without quotes`;
  if (issue.expected !== "array" || text === "" || text.length > 80) return stated;
  const items = text.split(/[\s,]+/).filter((item) => item !== "");
  const list = items.map((item) => JSON.stringify(valueOfOtherTool(node.path, item) ?? item));
  return `${stated}, such as [${list.join(", ")}]`;
}

/** What was expected; for a table with its header, which the schema does not know. */
function withHeader(expected: string, path: KeyPath): string {
  const name = path.filter((step) => typeof step === "string").join(".");
  if (expected.startsWith("a table")) return `${expected}, written [${name}]`;
  return expected === "a list of tables" ? `${expected}, each written [[${name}]]` : expected;
}

function nearestValue(issue: Issue, node: SourceNode): string | undefined {
  const elsewhere = node.kind === "scalar" ? valueOfOtherTool(node.path, node.value) : undefined;
  if (elsewhere !== undefined) return elsewhere;
  if (issue.code !== "invalid_value" || node.kind !== "scalar" || typeof node.value !== "string") return undefined;
  // If only one value is expected, a suggestion would repeat it.
  return issue.values.length === 1 ? undefined : nearestName(node.value, issue.values.map(String));
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

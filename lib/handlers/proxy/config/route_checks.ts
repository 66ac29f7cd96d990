/**
 * Checks that involve several keys of a route, or several routes.
 *
 * @module
 */

import { writtenPath } from "../../../routing/match_path.ts";
import { parsePattern, SlowPatternError } from "../../../routing/pattern_syntax.ts";
import { lineOf, type ProblemList, quoted } from "../../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type Place,
  type TableNode,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "../../../config/source_tree.ts";

/** Routes of one path and kind: the one without methods, and the first of each method. */
interface Claimed {
  all?: Place;
  readonly methods: Map<string, Place>;
}

/** Checks the routes of an enabled proxy. */
export function checkRoutes(proxy: TableNode, problems: ProblemList): void {
  const routes = tablesOf(proxy, "routes");
  const list = child(proxy, "routes");
  if (list === undefined || (list.kind === "list" && list.items.length === 0)) {
    problems.warning(proxy, { message: "the proxy has no routes", expected: "a [[sites.proxy.routes]] table" });
  }
  const claims = new Map<string, Claimed>();
  for (const route of routes) {
    checkKind(route, problems);
    checkRewriting(route, problems);
    checkPath(route, problems);
    checkDuplicate(route, claims, problems);
  }
}

function checkKind(route: TableNode, problems: ProblemList): void {
  if (!booleanOf(route, "exact", false) || !booleanOf(route, "pattern", false)) return;
  refuseKey(route, "pattern", problems, "the route is both exact and a pattern", "one of exact and pattern");
}

function checkRewriting(route: TableNode, problems: ProblemList): void {
  if (!booleanOf(route, "strip_prefix", false) || !booleanOf(route, "pattern", false)) return;
  refuseKey(route, "strip_prefix", problems, "a pattern has no prefix to strip", "rewrite_target, or no strip_prefix");
}

function refuseKey(route: TableNode, key: string, problems: ProblemList, message: string, expected: string): void {
  const entry = route.entries.get(key);
  if (entry !== undefined) problems.error({ path: entry.node.path, span: entry.keySpan }, { message, expected });
}

function checkPath(route: TableNode, problems: ProblemList): void {
  const path = textNode(route, "path");
  if (path === undefined || !path.value.startsWith("/")) return;
  if (booleanOf(route, "pattern", false)) {
    if (!refuseBraces(path, problems)) checkPattern(path, problems);
  } else if (/[*{}]/.test(path.value)) {
    refusePlaceholder(path, booleanOf(route, "exact", false), problems);
  } else if (/[?#]/.test(path.value)) {
    const message = `path ${quoted(path)} holds a query or a fragment, which routes do not see`;
    problems.error(path, { message, expected: "a path alone, or pattern = true" });
  } else if (writtenPath(path.value) === undefined) {
    const message = `path ${quoted(path)} has a "%" without two hexadecimal digits`;
    problems.error(path, { message, expected: 'an encoded byte such as "%2F", or "%25" for the sign itself' });
  } else if (/\/:[a-z_]\w*/i.test(path.value)) {
    const message = `path ${quoted(path)} matches the colon and the name as they are written`;
    problems.warning(path, { message, expected: "pattern = true, where the name stands for any segment" });
  }
}

/** Refuses `/img/*` and `/users/{id}`: they are patterns in other servers, but match literally here. */
function refusePlaceholder(path: TextNode, exact: boolean, problems: ProblemList): void {
  const { value } = path;
  const message = `path ${quoted(path)} holds a "*" or braces, which only patterns know`;
  const prefix = /^(\/[^*{}]*\/)\*{1,2}$|^(\/)\*{1,2}$/.exec(value);
  if (prefix !== null && !exact) {
    const suggestion = prefix[1] ?? prefix[2];
    return problems.error(path, { message, expected: "the prefix alone, which matches all below it", suggestion });
  }
  const pattern = withNames(value);
  const suggestion = /[{}]/.test(pattern) ? undefined : pattern;
  problems.error(path, { message, expected: "pattern = true, and the syntax of a URLPattern pathname", suggestion });
}

/** `{id}` and `{id:[0-9]+}` in the syntax of URLPattern. */
function withNames(path: string): string {
  return path.replace(
    /\{(\w+)(?::([^{}]*))?\}(?![?*+])/g,
    (_whole, name: string, expression?: string) => expression === undefined ? `:${name}` : `:${name}(${expression})`,
  );
}

/** Braces of a URLPattern only group: `{id}` matches the text `id`. */
function refuseBraces(path: TextNode, problems: ProblemList): boolean {
  const suggestion = withNames(path.value);
  if (suggestion === path.value) return false;
  const message = `path ${quoted(path)} has braces around a name, which match the name itself`;
  problems.error(path, { message, expected: 'a name behind a colon, such as "/users/:id"', suggestion });
  return true;
}

function checkPattern(path: TextNode, problems: ProblemList): void {
  try {
    parsePattern(path.value);
  } catch (error) {
    if (error instanceof SlowPatternError) {
      problems.error(path, {
        message: `path ${quoted(path)} could take minutes to compare with a path that a client makes for it`,
        expected: "no repeat within a repeat, and at most two that compete for the same characters",
      });
    } else if (error instanceof TypeError) {
      problems.error(path, {
        message: `path ${quoted(path)} is no URLPattern`,
        expected: 'the syntax of a URLPattern pathname, such as "/users/:id"',
      });
    } else throw error;
  }
}

/** Reports a route that can never be reached, because an earlier one of the same path and kind matches its requests. */
function checkDuplicate(route: TableNode, claims: Map<string, Claimed>, problems: ProblemList): void {
  const path = textNode(route, "path");
  if (path === undefined) return;
  const kind = booleanOf(route, "exact", false) ? "exact" : booleanOf(route, "pattern", false) ? "pattern" : "prefix";
  // Paths are compared in match form, in which `/%61pi` is `/api`
  const form = kind === "pattern" ? path.value : writtenPath(path.value) ?? path.value;
  const key = `${kind} ${form}`;
  const claimed: Claimed = claims.get(key) ?? { methods: new Map() };
  claims.set(key, claimed);
  const methods = child(route, "methods") === undefined
    ? undefined
    : textNodesOf(route, "methods").map((method) => method.value.toUpperCase());
  const earlier = claimed.all ?? (methods ?? [...claimed.methods.keys()])
    .map((method) => claimed.methods.get(method)).find((place) => place !== undefined);
  if (earlier !== undefined) {
    const message = `two ${kind} routes have the path ${quoted(path)}${lineOf(earlier)}`;
    problems.error(path, { message, expected: "another path, another kind, or methods that do not overlap" });
    return;
  }
  if (methods === undefined) claimed.all = path;
  for (const method of methods ?? []) claimed.methods.set(method, path);
}

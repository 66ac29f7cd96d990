/**
 * Warnings about routes and files that do not get the requests they seem to be for: because the site or another route
 * responds first, or because the route does not upgrade WebSockets.
 *
 * @module
 */

import { hasDotSegments, writtenPath } from "../../../routing/match_path.ts";
import { INTERNAL_PATHS, internalPrefix } from "../../internal/internal_paths.ts";
import { lineOf, type ProblemList, quoted } from "../../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type TableNode,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "../../../config/source_tree.ts";

/** Usual last segments of paths of WebSockets. */
const SOCKET_NAMES: ReadonlySet<string> = new Set([
  ...["ws", "wss", "socket", "sockets", "websocket", "websockets", "socket.io", "engine.io", "sockjs", "signalr"],
  ...["hub", "hubs", "cable", "graphql-ws", "subscriptions"],
]);

/** Warns of such routes of a site. */
export function checkReach(site: TableNode, proxy: TableNode, problems: ProblemList): void {
  const endpoints = endpointsOf(site);
  for (const route of tablesOf(proxy, "routes")) {
    const path = textNode(route, "path");
    if (path === undefined || !path.value.startsWith("/")) continue;
    checkShadow(route, path, endpoints, problems);
    checkSocket(route, path, problems);
    checkDots(route, path, problems);
    checkFiles(site, route, path, problems);
  }
}

/** Dot segments of a request are resolved or refused before routes are matched. */
function checkDots(route: TableNode, path: TextNode, problems: ProblemList): void {
  const plain = writtenPath(path.value) ?? path.value;
  if (booleanOf(route, "pattern", false) || !hasDotSegments(plain)) return;
  problems.warning(path, {
    message: `path ${quoted(path)} has dot segments, so that no request matches it`,
    expected: "the path that they lead to",
  });
}

/** Files are tried after routes, so that a route for all paths hides them. */
function checkFiles(site: TableNode, route: TableNode, path: TextNode, problems: ProblemList): void {
  const kind = booleanOf(route, "exact", false) || booleanOf(route, "pattern", false);
  if (path.value !== "/" || kind || child(route, "methods") !== undefined || child(route, "try_files") !== undefined) {
    return;
  }
  const folder = child(site, "static_dir");
  if (folder === undefined) return;
  problems.warning(folder, {
    message: `no file of static_dir is ever served: the route "/"${lineOf(path)} takes every path`,
    expected: "routes for some paths, or no static_dir",
  });
}

/** Warns of a route whose path, or all paths below it, belong to internal endpoints of the site. */
function checkShadow(route: TableNode, path: TextNode, endpoints: readonly string[], problems: ProblemList): void {
  const plain = writtenPath(path.value) ?? path.value;
  const place = plain.replace(/\/+$/, "");
  const exact = booleanOf(route, "exact", false);
  const shadows = endpoints.filter((endpoint) =>
    exact ? endpoint === plain : endpoint === plain || endpoint.startsWith(`${place}/`)
  );
  // A route for all of /api, or for the whole site, is meant for the remaining paths
  if (shadows.length === 0 || shadows.length === endpoints.length) return;
  const which = shadows.length === 1 ? `${shadows[0]} is an endpoint` : `${shadows.join(" and ")} are endpoints`;
  problems.warning(path, {
    message: `${which} of the site itself, which this route does not get`,
    expected: 'another path, internal_api = false, or a prefix for them such as internal_api = "/_bws"',
  });
}

function endpointsOf(site: TableNode): string[] {
  const node = child(site, "internal_api");
  const setting = node === undefined ? true : node.kind === "scalar" ? node.value : false;
  const prefix = typeof setting === "boolean" || typeof setting === "string" ? internalPrefix(setting) : undefined;
  return prefix === undefined ? [] : INTERNAL_PATHS.map((path) => prefix + path);
}

function checkSocket(route: TableNode, path: TextNode, problems: ProblemList): void {
  const methods = textNodesOf(route, "methods");
  if (
    booleanOf(route, "websocket", false) && methods.length > 0 && !methods.some(({ value }) => /^get$/i.test(value))
  ) {
    problems.warning(methods[0], {
      message: "the route lets WebSockets through, and takes no GET, by which they begin",
      expected: 'methods with "GET", or no methods',
    });
  }
  // `websocket = false` was set on purpose
  if (child(route, "websocket") !== undefined) return;
  const last = path.value.replace(/(?:\/+\*?)+$/, "").split("/").at(-1)?.toLowerCase() ?? "";
  if (!SOCKET_NAMES.has(last)) return;
  problems.warning(path, {
    message: `path ${quoted(path)} looks like one of WebSockets, and the route does not let them through`,
    expected: "websocket = true, or websocket = false to say that it needs none",
  });
}

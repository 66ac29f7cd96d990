/**
 * Checks across the keys of a site's files, and whether its folder can be served.
 *
 * @module
 */

import type { ConfigCheck } from "../../config/composed_config.ts";
import { fileAt, listFault } from "../../config/file_access.ts";
import { resolvePath } from "../../config/file_paths.ts";
import { type ProblemList, quoted, shortName } from "../../config/problem_list.ts";
import {
  booleanOf,
  child,
  type TableNode,
  tableOf,
  tablesOf,
  type TextNode,
  textNode,
  textNodesOf,
} from "../../config/source_tree.ts";
import { staleNeighbours } from "./stale_neighbours.ts";

/** Makes the paths of folders absolute, and checks whether they can be served. */
export const resolveFolders: ConfigCheck = (root, problems, options) => {
  for (const site of tablesOf(root, "sites")) {
    const folder = textNode(site, "static_dir");
    if (folder === undefined) continue;
    resolvePath(folder, "folder", problems, options);
    if (options.checkFiles && booleanOf(site, "browse", false)) checkListing(folder, problems);
    if (options.searchFolders && booleanOf(site, "precompressed", true)) checkNeighbours(folder, problems);
  }
};

/** Checks the keys of each site. */
export const checkFiles: ConfigCheck = (root, problems) => {
  for (const site of tablesOf(root, "sites")) {
    for (const owner of [site, ...tablesOf(tableOf(site, "proxy"), "routes")]) checkTryFiles(owner, problems);
    checkRoutes(site, problems);
    checkRules(site, problems);
  }
};

/** A field that `[sites.headers]` sets is the same on every response. */
function checkRules(site: TableNode, problems: ProblemList): void {
  const everywhere = new Set([...tableOf(site, "headers")?.entries.keys() ?? []].map((name) => name.toLowerCase()));
  for (const rule of tablesOf(site, "file_rules")) {
    for (const [name, { node, keySpan }] of tableOf(rule, "headers")?.entries ?? []) {
      if (!everywhere.has(name.toLowerCase())) continue;
      problems.warning({ path: node.path, span: keySpan }, {
        message: `${name} has no effect here: [sites.headers] sets it on every response`,
        expected: "the field in one of the two places",
      });
    }
  }
}

/** A folder whose names cannot be read can be served, but not listed. Its path is absolute here. */
function checkListing(node: TextNode, problems: ProblemList): void {
  const found = fileAt(node.value);
  if (found === undefined || found instanceof Error || !found.isDirectory) return;
  const fault = listFault(node.value);
  if (fault === undefined) return;
  problems.error(node, {
    message: `${shortName(node.path)} ${quoted(node)} cannot be listed: ${fault}`,
    expected: "a folder that this user may read, or no browse",
  });
}

function checkNeighbours(node: TextNode, problems: ProblemList): void {
  const stale = staleNeighbours(node.value);
  if (stale.length === 0) return;
  const named = stale.slice(0, 3).map((path) => JSON.stringify(path)).join(", ");
  const more = stale.length > 3 ? ` and ${stale.length - 3} more` : "";
  problems.warning(node, {
    message: `precompressed files are older than their files, and are not served: ${named}${more}`,
    expected: "files that were compressed again, or precompressed = false",
  });
}

function checkTryFiles(owner: TableNode, problems: ProblemList): void {
  const node = child(owner, "try_files");
  const last = node?.kind === "list" ? node.items.at(-1) : undefined;
  for (const entry of textNodesOf(owner, "try_files")) {
    if (entry.value !== "=404" || entry === last) continue;
    problems.error(entry, { message: 'try_files goes on after "=404"', expected: '"=404" at the end only' });
  }
}

function checkRoutes(site: TableNode, problems: ProblemList): void {
  const apiOnly = booleanOf(site, "api_only", false);
  if (child(site, "static_dir") !== undefined && !apiOnly) return;
  for (const route of tablesOf(tableOf(site, "proxy"), "routes")) {
    const entry = route.entries.get("try_files");
    if (entry === undefined) continue;
    problems.error({ path: entry.node.path, span: entry.keySpan }, {
      message: apiOnly
        ? "try_files looks for files, and the site serves none: api_only is true"
        : "try_files looks for files, and the site has no static_dir",
      expected: apiOnly ? "no api_only, or no try_files" : "static_dir in [[sites]], or no try_files",
    });
  }
}

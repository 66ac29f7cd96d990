/**
 * The files and folders that a config names: makes their paths absolute, and looks whether they are there.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { basename } from "@std/path/basename";
// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { isAbsolute } from "@std/path/is-absolute";
// @ts-types="../../types/std/path.d.ts"
import { join } from "@std/path/join";
// @ts-types="../../types/std/path.d.ts"
import { relative } from "@std/path/relative";
// @ts-types="../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";
import { staleNeighbours } from "../handlers/files/stale_neighbours.ts";
import { appendFault, createFault, enterFault, fileAt, listFault, readFault, reasonOf } from "./file_access.ts";
import type { ProblemList } from "./problem_list.ts";
import { quoted, shortName } from "./problem_list.ts";
import { booleanOf, isTextNode, type TableNode, tableOf, tablesOf, type TextNode, textNode } from "./source_tree.ts";

/** Options of {@linkcode resolveFiles}. */
export interface FileOptions {
  /** Folder from which relative paths start. */
  baseDir: string;
  /** What `baseDir` is, in words. */
  baseName: string;
  /** Whether to look if they are there, and can be read. */
  checkFiles: boolean;
  /** Whether to try if the log can be written, as before a start. */
  tryLog: boolean;
  /** Whether to look through static folders for precompressed files that are older than their file. */
  searchFolders?: boolean | undefined;
}

type FileKind = "file" | "folder" | "any";

/**
 * Makes the paths in `root` absolute, in place. Relative paths start from `baseDir` and nowhere else, so that a config means
 * the same from whatever folder the program is started.
 */
export function resolveFiles(root: TableNode, options: FileOptions, problems: ProblemList): void {
  const resolveNode = (node: TextNode | undefined, kind: FileKind) => {
    if (node === undefined || node.value === "") return;
    const path = resolve(options.baseDir, node.value);
    if (options.checkFiles && kind !== "any") checkFile(node, path, { kind, ...options }, problems);
    node.value = path;
  };
  const output = textNode(tableOf(root, "logging"), "output");
  if (output?.value !== "stdout" && output?.value !== "stderr") {
    const written = output?.value ?? "";
    resolveNode(output, "any");
    if (output !== undefined && options.checkFiles) checkLog(output, { ...options, written }, problems);
  }
  for (const site of tablesOf(root, "sites")) {
    const folder = textNode(site, "static_dir");
    resolveNode(folder, "folder");
    if (folder !== undefined && options.checkFiles && booleanOf(site, "browse", false)) checkListing(folder, problems);
    if (folder !== undefined && options.searchFolders === true && booleanOf(site, "precompressed", true)) {
      checkNeighbours(folder, problems);
    }
    for (const { node } of tableOf(site, "error_pages")?.entries.values() ?? []) {
      if (isTextNode(node)) resolveNode(node, "file");
    }
    const proxy = tableOf(site, "proxy");
    const used = booleanOf(proxy, "enabled", true);
    for (const upstream of tablesOf(proxy, "upstreams")) {
      const authority = textNode(tableOf(upstream, "tls"), "ca_file");
      resolveNode(authority, used ? "file" : "any");
      if (authority !== undefined && used && options.checkFiles) checkCertificate(authority, problems);
    }
  }
}

/**
 * How to write a path that was meant to start from the working folder, where it is there. The configs of older versions and
 * of the original BWS have such paths.
 */
function fromWorkingFolder(written: string, baseDir: string): string | undefined {
  if (isAbsolute(written)) return undefined;
  const here = resolve(written);
  return fileAt(here) === undefined ? undefined : relative(resolve(baseDir), here);
}

function checkFile(
  node: TextNode,
  path: string,
  { kind, baseDir, baseName }: { kind: FileKind; baseDir: string; baseName: string },
  problems: ProblemList,
): void {
  const name = shortName(node.path);
  const shown = quoted(node);
  const expected = kind === "folder" ? "a folder" : "a file";
  const found = fileAt(path);
  if (found === undefined) {
    const folder = node.substituted === undefined ? `looked for ${JSON.stringify(path)}, as ` : "";
    const where = isAbsolute(node.value) ? "" : ` (${folder}paths start from ${baseName})`;
    const suggestion = fromWorkingFolder(node.value, baseDir);
    problems.error(node, { message: `${name} ${shown} is not there${where}`, expected, suggestion });
  } else if (found instanceof Error) {
    problems.error(node, { message: `${name} ${shown} cannot be looked at: ${reasonOf(found)}`, expected });
  } else if (kind === "folder" ? !found.isDirectory : !found.isFile) {
    const what = found.isDirectory ? "a folder" : found.isFile ? "a file" : "neither a file nor a folder";
    problems.error(node, { message: `${name} ${shown} is ${what}`, expected });
  } else {
    const fault = kind === "folder" ? enterFault(path) : readFault(path);
    if (fault === undefined) return;
    const done = kind === "folder" ? "cannot be entered" : "cannot be read";
    problems.error(node, {
      message: `${name} ${shown} ${done}: ${fault}`,
      expected: `${expected} that this user may ${kind === "folder" ? "enter" : "read"}`,
    });
  }
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

/** A folder whose names nobody may read can be served, but not listed. Its path is absolute here. */
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

/** The runtime says nothing of a file without a certificate until a connection fails. */
function checkCertificate(node: TextNode, problems: ProblemList): void {
  if (fileAt(node.value) instanceof Error || readFault(node.value) !== undefined) return;
  if (Deno.readTextFileSync(node.value).includes("-----BEGIN CERTIFICATE-----")) return;
  problems.error(node, {
    message: `${shortName(node.path)} ${quoted(node)} holds no certificate`,
    expected: 'a PEM file with "-----BEGIN CERTIFICATE-----"',
  });
}

/** A log's file is made, its folder is not. Whoever may not look may still be able to write. */
function checkLog(
  node: TextNode,
  { written, baseDir, tryLog }: { written: string; baseDir: string; tryLog: boolean },
  problems: ProblemList,
): void {
  if (node.value === "") return;
  const folder = dirname(node.value);
  const [around, found] = [fileAt(folder), fileAt(node.value)];
  if (around === undefined) {
    const meant = fromWorkingFolder(dirname(written), baseDir);
    problems.error(node, {
      message: `the folder ${
        node.substituted === undefined ? JSON.stringify(folder) : `of ${quoted(node)}`
      } of logging.output is not there`,
      expected: '"stdout", "stderr" or a file in a folder that exists',
      suggestion: meant === undefined ? undefined : join(meant, basename(written)),
    });
  } else if (found !== undefined && !(found instanceof Error) && found.isDirectory) {
    problems.error(node, { message: `logging.output ${quoted(node)} is a folder`, expected: "a file" });
  } else if (tryLog) {
    const fault = found === undefined ? createFault(folder) : appendFault(node.value);
    if (fault === undefined) return;
    problems.error(node, {
      message: `logging.output ${quoted(node)} cannot be ${found === undefined ? "created" : "written"}: ${fault}`,
      expected: '"stdout", "stderr" or a file that this user may write',
    });
  }
}

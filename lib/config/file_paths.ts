/**
 * The files and folders that a config names: makes their paths absolute, and looks whether they are there.
 *
 * @module
 */

// Built into the runtime; the modules of @std/path would take a third of the time in which a config may be loaded
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import type { ProblemList } from "./problem_list.ts";
import { quoted, shortName } from "./problem_list.ts";
import { booleanOf, isTextNode, type TableNode, tableOf, tablesOf, type TextNode, textNode } from "./source_tree.ts";

/** Options of {@linkcode resolveFiles}. */
export interface FileOptions {
  /** Folder from which relative paths start. */
  baseDir: string;
  /** Whether to look if they are there. */
  checkFiles: boolean;
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
    if (options.checkFiles && kind !== "any") checkFile(node, path, { kind, baseDir: options.baseDir }, problems);
    node.value = path;
  };
  const output = textNode(tableOf(root, "logging"), "output");
  if (output?.value !== "stdout" && output?.value !== "stderr") {
    const written = output?.value ?? "";
    resolveNode(output, "any");
    if (output !== undefined && options.checkFiles) checkLog(output, { written, baseDir: options.baseDir }, problems);
  }
  for (const site of tablesOf(root, "sites")) {
    resolveNode(textNode(site, "static_dir"), "folder");
    for (const { node } of tableOf(site, "error_pages")?.entries.values() ?? []) {
      if (isTextNode(node)) resolveNode(node, "file");
    }
    const proxy = tableOf(site, "proxy");
    const used = booleanOf(proxy, "enabled", true);
    for (const upstream of tablesOf(proxy, "upstreams")) {
      resolveNode(textNode(tableOf(upstream, "tls"), "ca_file"), used ? "file" : "any");
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
  { kind, baseDir }: { kind: FileKind; baseDir: string },
  problems: ProblemList,
): void {
  const name = shortName(node.path);
  const shown = quoted(node);
  const expected = kind === "folder" ? "a folder" : "a file";
  const found = fileAt(path);
  if (found === undefined) {
    const folder = node.substituted === undefined ? `looked for ${JSON.stringify(path)}, as ` : "";
    const where = isAbsolute(node.value) ? "" : ` (${folder}paths start from the folder of the config)`;
    const suggestion = fromWorkingFolder(node.value, baseDir);
    problems.error(node, { message: `${name} ${shown} is not there${where}`, expected, suggestion });
  } else if (found instanceof Error) {
    problems.error(node, { message: `${name} ${shown} cannot be looked at: ${reasonOf(found)}`, expected });
  } else if (kind === "folder" ? !found.isDirectory : found.isDirectory) {
    problems.error(node, { message: `${name} ${shown} is a ${found.isDirectory ? "folder" : "file"}`, expected });
  }
}

/** Why the system refused, without the path, which the message has already or may not show. */
function reasonOf(error: Error): string {
  return error.message.replace(/: \w+ '.*$/s, "");
}

/** A log's file is made, its folder is not. Whoever may not look may still be able to write. */
function checkLog(
  node: TextNode,
  { written, baseDir }: { written: string; baseDir: string },
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
  }
}

/** What is at `path`; undefined where nothing is, an error where nobody may look. */
function fileAt(path: string): Deno.FileInfo | Error | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof Error) return error;
    throw error;
  }
}

/**
 * The files and folders that a config names: makes their paths absolute, and checks that they exist.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { isAbsolute } from "@std/path/is-absolute";
// @ts-types="../../types/std/path.d.ts"
import { relative } from "@std/path/relative";
// @ts-types="../../types/std/path.d.ts"
import { resolve } from "@std/path/resolve";
import type { ResolvedOptions } from "./composed_config.ts";
import { enterFault, fileAt, readFault, reasonOf } from "./file_access.ts";
import { type ProblemList, quoted, shortName } from "./problem_list.ts";
import type { TextNode } from "./source_tree.ts";

/** What must be at a path; `any` is not checked. */
export type FileKind = "file" | "folder" | "any";

/**
 * Makes a path absolute, in place. Relative paths always refer to `baseDir`, so that the meaning of a config does not depend
 * on the folder in which the program is started.
 */
export function resolvePath(
  node: TextNode | undefined,
  kind: FileKind,
  problems: ProblemList,
  options: ResolvedOptions,
): void {
  if (node === undefined || node.value === "") return;
  const path = resolve(options.baseDir, node.value);
  if (options.checkFiles && kind !== "any") checkFile(node, path, { kind, ...options }, problems);
  node.value = path;
}

/**
 * The right form of a path that exists relative to the working folder, as in configs of older versions and of the original
 * BWS.
 */
export function fromWorkingFolder(written: string, baseDir: string): string | undefined {
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

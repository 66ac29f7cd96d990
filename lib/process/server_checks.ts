/**
 * Checks of `[server]` and `[logging]` that concern several keys, and of the log file.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { basename } from "@std/path/basename";
// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { join } from "@std/path/join";
import type { ConfigCheck, ResolvedOptions } from "../config/composed_config.ts";
import { appendFault, createFault, fileAt } from "../config/file_access.ts";
import { fromWorkingFolder, resolvePath } from "../config/file_paths.ts";
import { type ProblemList, quoted } from "../config/problem_list.ts";
import { tableOf, type TextNode, textNode, textNodesOf } from "../config/source_tree.ts";

/** Warns if every peer is trusted: a trusted peer sets the client address, the scheme and the host of a request. */
export const checkTrust: ConfigCheck = (root, problems) => {
  for (const network of textNodesOf(tableOf(root, "server"), "trusted_proxies")) {
    if (!/\/0+$/.test(network.value)) continue;
    problems.warning(network, {
      message: `${quoted(network)} trusts every peer: any client can say that it comes from another address`,
      expected: "the addresses of the proxies in front",
    });
  }
};

/** Makes the path of the middleware absolute, and looks whether it is there. */
export const resolveMiddleware: ConfigCheck = (root, problems, options) => {
  resolvePath(textNode(tableOf(root, "server"), "middleware"), "file", problems, options);
};

/** Makes the path of the log absolute, and checks that it can be written. */
export const resolveLog: ConfigCheck = (root, problems, options) => {
  const output = textNode(tableOf(root, "logging"), "output");
  if (output === undefined || output.value === "stdout" || output.value === "stderr") return;
  const written = output.value;
  resolvePath(output, "any", problems, options);
  if (options.checkFiles) checkLog(output, { ...options, written }, problems);
};

/** A log file is created, its folder is not. A folder that cannot be read may still be writable. */
function checkLog(
  node: TextNode,
  { written, baseDir, tryLog }: ResolvedOptions & { written: string },
  problems: ProblemList,
): void {
  if (node.value === "") return;
  const folder = dirname(node.value);
  const [around, found] = [fileAt(folder), fileAt(node.value)];
  if (around === undefined) {
    const nearby = fromWorkingFolder(dirname(written), baseDir);
    problems.error(node, {
      message: `the folder ${
        node.substituted === undefined ? JSON.stringify(folder) : `of ${quoted(node)}`
      } of logging.output is not there`,
      expected: '"stdout", "stderr" or a file in a folder that exists',
      suggestion: nearby === undefined ? undefined : join(nearby, basename(written)),
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

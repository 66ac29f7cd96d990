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
import { isSyslog } from "../log/syslog_target.ts";
import type { ConfigCheck, ResolvedOptions } from "../config/composed_config.ts";
import { appendFault, createFault, fileAt } from "../config/file_access.ts";
import { fromWorkingFolder, resolvePath } from "../config/file_paths.ts";
import { type ProblemList, quoted } from "../config/problem_list.ts";
import { tableOf, tablesOf, type TextNode, textNode, textNodesOf } from "../config/source_tree.ts";

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

/** Makes the paths of log files absolute, and checks that they can be written. */
export const resolveLog: ConfigCheck = (root, problems, options) => {
  const logging = tableOf(root, "logging");
  const sites = tablesOf(root, "sites");
  const routes = sites.flatMap((site) => tablesOf(tableOf(site, "proxy"), "routes"));
  const outputs = [textNode(logging, "output")];
  for (const owner of [logging, ...sites, ...routes]) {
    outputs.push(textNode(owner, "access_log") ?? textNode(tableOf(owner, "access_log"), "output"));
  }
  for (const output of outputs) {
    if (output === undefined || output.value === "stdout" || output.value === "stderr" || isSyslog(output.value)) {
      continue;
    }
    const written = output.value;
    resolvePath(output, "any", problems, options);
    if (options.checkFiles) checkLog(output, { ...options, written }, problems);
  }
};

/** A log file is created, its folder is not. A folder that cannot be read may still be writable. */
function checkLog(
  node: TextNode,
  { written, baseDir, tryLog }: ResolvedOptions & { written: string },
  problems: ProblemList,
): void {
  if (node.value === "") return;
  const name = node.path.filter((step) => typeof step === "string").slice(-2).join(".");
  const folder = dirname(node.value);
  const [around, found] = [fileAt(folder), fileAt(node.value)];
  if (around === undefined) {
    const nearby = fromWorkingFolder(dirname(written), baseDir);
    problems.error(node, {
      message: `the folder ${
        node.substituted === undefined ? JSON.stringify(folder) : `of ${quoted(node)}`
      } of ${name} is not there`,
      expected: '"stdout", "stderr" or a file in a folder that exists',
      suggestion: nearby === undefined ? undefined : join(nearby, basename(written)),
    });
  } else if (found !== undefined && !(found instanceof Error) && found.isDirectory) {
    problems.error(node, { message: `${name} ${quoted(node)} is a folder`, expected: "a file" });
  } else if (tryLog) {
    const fault = found === undefined ? createFault(folder) : appendFault(node.value);
    if (fault === undefined) return;
    problems.error(node, {
      message: `${name} ${quoted(node)} cannot be ${found === undefined ? "created" : "written"}: ${fault}`,
      expected: '"stdout", "stderr" or a file that this user may write',
    });
  }
}

/**
 * The file server of one site, built from its config, which logs warnings about the files.
 *
 * @module
 */

import type { Filter } from "../../exchange/filter.ts";
import { setHeader } from "../../http/header_lines.ts";
import type { Log } from "../../log/log.ts";
import { createFileServer, type FileServer } from "./file_server.ts";
import type { FileWarning } from "./file_warnings.ts";
import type { FilesConfig } from "./files_schema.ts";

/**
 * Creates the file server of a site; undefined if the site serves no files.
 *
 * @param filters The filters of the site, which may add header lines to files and replace missing ones.
 * @param hiddenFile The config's file, which is never served.
 */
export function siteFiles(
  config: FilesConfig & { readonly name: string },
  log: Log | undefined,
  filters: readonly Filter[],
  hiddenFile?: string,
): FileServer | undefined {
  if (config.static_dir === undefined || config.api_only) return undefined;
  const lines = filters.filter(({ fileLines }) => fileLines !== undefined);
  const missing = filters.filter(({ replacesMissing }) => replacesMissing !== undefined);
  return createFileServer(config.static_dir, config, {
    hiddenFile,
    fileLines: lines.length === 0 ? undefined : (path) => linesOf(lines, path),
    withoutFixed: missing.length === 0 ? undefined : (head) => missing.some((one) => one.replacesMissing?.(head)),
    onWarning: log && ((warning) => logWarning(log, config.name, warning)),
  });
}

/** Of two values for one field, that of the later filter. */
function linesOf(filters: readonly Filter[], path: string): readonly string[] {
  const lines: string[] = [];
  for (const filter of filters) {
    const own = filter.fileLines?.(path) ?? [];
    for (let i = 0; i < own.length; i += 2) setHeader(lines, own[i], own[i + 1]);
  }
  return lines;
}

function logWarning(log: Log, site: string, warning: FileWarning): void {
  if (warning.kind === "outside") {
    log.log("warn", "a link leads out of static_dir and is not followed; follow_symlinks = true would", {
      ...{ site, link: warning.path, leads_to: warning.leadsTo },
    });
  } else {
    log.log("warn", "a precompressed file is older than its file and is not served", { site, file: warning.path });
  }
}

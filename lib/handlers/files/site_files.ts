/**
 * The file server of one site, built from its config, which logs warnings about the files.
 *
 * @module
 */

import type { RequestHead } from "../../http/message.ts";
import type { Log } from "../../log/log.ts";
import { createFileServer, type FileServer } from "./file_server.ts";
import type { FileWarning } from "./file_warnings.ts";
import type { FilesConfig } from "./files_schema.ts";
import { cacheControl } from "./cache_control.ts";

/**
 * Creates the file server of a site; undefined if the site serves no files.
 *
 * @param withoutFixed Whether only a file at the path of a request may be served, and no fixed path of `try_files`.
 */
export function siteFiles(
  config: FilesConfig & { readonly name: string },
  log: Log | undefined,
  withoutFixed: ((head: RequestHead) => boolean) | undefined,
): FileServer | undefined {
  if (config.static_dir === undefined) return undefined;
  return createFileServer(config.static_dir, config, {
    cacheControl: cacheControl(config.cache),
    withoutFixed,
    onWarning: log && ((warning) => logWarning(log, config.name, warning)),
  });
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

/**
 * The tables `[sites.error_pages]` and `[sites.proxy.routes.error_pages]`.
 *
 * @module
 */

import { z } from "zod";
import type { ConfigCheck } from "../config/composed_config.ts";
import { matching, text } from "../config/fields.ts";
import { resolvePath } from "../config/file_paths.ts";
import { isTextNode, tableOf, tablesOf } from "../config/source_tree.ts";

const ERROR_STATUS = 'a status from 400 to 599, or "4xx" or "5xx"';

/** The keys, for the composed table. */
export const errorPageKeys = {
  error_pages: z.record(matching(/^[45](?:\d\d|xx)$/, ERROR_STATUS), text("the path of a file"), {
    error: "a table of statuses and files",
  }).prefault({}).describe(
    'Files for error responses, by status or class ("5xx"). HTML, JSON and plain text may have placeholders, such as {request.id}.',
  ),
};

/** Makes the paths of the pages absolute, and checks whether they can be read. */
export const resolveErrorPages: ConfigCheck = (root, problems, options) => {
  for (const site of tablesOf(root, "sites")) {
    for (const owner of [site, ...tablesOf(tableOf(site, "proxy"), "routes")]) {
      for (const { node } of tableOf(owner, "error_pages")?.entries.values() ?? []) {
        if (isTextNode(node)) resolvePath(node, "file", problems, options);
      }
    }
  }
};

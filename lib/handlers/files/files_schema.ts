/**
 * The keys of `[[sites]]` that are about files.
 *
 * @module
 */

import { z } from "zod";
import { type Fault, fieldValue, flag, judged, list, matching, text } from "../../config/fields.ts";
import { ANY_OTHER } from "./media_types.ts";

const TRY_FILE = 'a path that begins with "/" or "$path", or "=404"';
const TRY_FILE_FORM = /^(?:\/.*|\$path(?:[./].*)?|=404)$/;
const TYPED = 'an extension such as ".wasm", a file name, or "*"';
const MEDIA_TYPE = 'a media type such as "application/wasm" or "text/plain; charset=utf-8"';
const FILE_NAME = "a file name without a folder and without spaces";

/** The keys of files, for the composed table. */
export const fileKeys = {
  static_dir: text("the path of a folder").optional().describe("Folder whose files are served."),
  index_files: list(matching(/^(?!\.{1,2}$)[^/\\\s]+$/, FILE_NAME)).prefault(["index.html"])
    .describe("Names of index files of a folder; the first that exists is served."),
  browse: flag().default(false).describe("Whether folders without an index file are listed."),
  try_files: list(judged(tryFileFault, TRY_FILE, TRY_FILE_FORM.source)).prefault([])
    .describe('What to look for, in order; "$path" stands for the path of the request, and "=404" may end the list.'),
  dotfiles: flag().default(false).describe("Whether files whose name begins with a dot are served."),
  follow_symlinks: flag().default(false).describe("Whether links may lead out of static_dir."),
  precompressed: flag().default(true).describe(
    "Whether .br, .zst and .gz files beside a file are served in its place.",
  ),
  media_types: z.record(
    judged(typedFault, TYPED),
    fieldValue().regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;.*)?$/, { error: MEDIA_TYPE }),
    { error: "a table of extensions and media types" },
  ).prefault({}).describe(
    'Content-Type of files, by extension (".wasm", ".tar.gz"), by name, or "*" for all whose type is not known.',
  ),
  api_only: flag().default(false).describe(
    "Whether the files of static_dir are not served: routes and the site's own endpoints alone respond.",
  ),
};

/** The key of a route for files before its upstream, for the composed table. */
export const routeFileKeys = {
  try_files: list(judged(tryFileFault, TRY_FILE, TRY_FILE_FORM.source)).min(1, {
    error: "at least one path",
  }).optional().describe(
    'Files of static_dir to look for before a GET or HEAD goes upstream, in order; "$path" stands for the path of the request. ' +
      'After "=404" at the end no GET or HEAD goes upstream. ' +
      "Not inherited: the site's are for requests that no route takes.",
  ),
};

/** The keys of a site's files, after defaults. */
export type FilesConfig = z.output<z.ZodObject<typeof fileKeys>>;

function typedFault(key: string): Fault | undefined {
  if (key === ANY_OTHER || (key !== "" && !/[/\\*\s]/.test(key))) return undefined;
  return { expected: TYPED, suggestion: /^\*(\.[\w.]+)$/.exec(key)?.[1] };
}

function tryFileFault(value: string): Fault | undefined {
  if (TRY_FILE_FORM.test(value)) return undefined;
  const file = /^(?:\.\/)?(\w[\w./-]*\.\w+)$/.exec(value)?.[1];
  return { expected: TRY_FILE, suggestion: file === undefined ? undefined : `/${file}` };
}

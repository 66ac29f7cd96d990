/**
 * Which coding of a file a client gets. Files are never compressed here: a file beside it with one of these suffixes (a
 * neighbour), made when the site was built, is sent in place of the file.
 *
 * @module
 */

import { AcceptedCodings, type ContentCoding } from "../../http/accepted_codings.ts";

/**
 * The codings of neighbours and the suffixes of their names, the preferred one first: it wins if a client has no
 * preference.
 */
export const NEIGHBOURS: readonly { readonly coding: ContentCoding; readonly suffix: string }[] = [
  { coding: "br", suffix: ".br" },
  { coding: "zstd", suffix: ".zst" },
  { coding: "gzip", suffix: ".gz" },
];

const codings = new AcceptedCodings(NEIGHBOURS.map(({ coding }) => coding));

/** As {@linkcode AcceptedCodings.of}, for neighbours. */
export function acceptedCodings(acceptEncoding: string | undefined): readonly ContentCoding[] {
  return codings.of(acceptEncoding);
}

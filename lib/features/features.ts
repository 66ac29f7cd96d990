/**
 * All features. Whoever adds one writes its file or folder here, and one line in this list: its table is then in the
 * schema, in the types, in the JSON Schema and in the reference, and its filter in the pipelines.
 *
 * @module
 */

import type { Feature } from "./feature.ts";

/** Any feature, whatever its options. */
// deno-lint-ignore no-explicit-any
export type AnyFeature = Feature<any>;

/** The features of this server; their places in the pipeline are their `order`. */
export const FEATURES = [] as const satisfies readonly AnyFeature[];

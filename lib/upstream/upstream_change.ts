/**
 * What can happen to an upstream.
 *
 * @module
 */

import type { Strike } from "./failure_class.ts";

/** What may happen to an upstream; told once, by the worker that saw it first. */
export type UpstreamChange =
  | { readonly kind: "ejected"; readonly strike: Strike; readonly forMs: number }
  | { readonly kind: "returned" }
  | { readonly kind: "breaker"; readonly change: "opened" | "closed" };

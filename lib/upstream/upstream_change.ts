/**
 * What can happen to an upstream.
 *
 * @module
 */

import type { FailureClass } from "./failure_class.ts";

/** What may happen to an upstream; told once, by the worker that saw it first. */
export type UpstreamChange =
  | { readonly kind: "ejected"; readonly strike: FailureClass; readonly forMs: number }
  | { readonly kind: "returned" }
  | { readonly kind: "breaker"; readonly change: "opened" | "closed" };

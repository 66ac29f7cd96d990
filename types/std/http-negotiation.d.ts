/** The part of `@std/http/negotiation` that BWS uses. */

/** The type among `types` that the Accept field of a request wants most; the first without one, undefined where none is acceptable. */
export function accepts(
  request: { readonly headers: { get(name: string): string | null } },
  ...types: string[]
): string | undefined;

/**
 * Finds bodies of GET and HEAD in HTTP/2, which need no Content-Length. The runtime's server drops them silently, so this
 * reads private members of its requests. A test fails when a new version has other members.
 *
 * @module
 */

/** Whether a GET or HEAD of the runtime's server has a body, or may still get one. False where that is not known. */
export function hasUnannouncedBody(request: Request): boolean {
  place ??= Object.getOwnPropertySymbols(request).find((symbol) => symbol.description === "request");
  if (place === undefined) return false;
  const inner = (request as unknown as Record<symbol, InnerRequest | undefined>)[place];
  if (typeof inner !== "object") return false;
  let body: InnerBody | null | undefined;
  try {
    // The getter hides the body of a GET: it checks the method.
    Object.defineProperty(inner, "method", { value: "POST", configurable: true });
    body = inner.body;
    delete inner.method;
  } catch {
    return false;
  }
  const whole = body?.streamOrStatic;
  if (whole === undefined || whole === null) return false;
  // Without END_STREAM in the request's head, the body follows.
  return !("body" in whole && whole.body instanceof Uint8Array) || whole.body.length > 0;
}

interface InnerRequest {
  method?: string;
  readonly body?: InnerBody | null;
}

interface InnerBody {
  readonly streamOrStatic?: object | null;
}

let place: symbol | undefined;

/**
 * The bytes of a response's body, however it comes.
 *
 * @module
 */

import { readWhole } from "../../lib/http/body_reader.ts";
import type { ResponseBody } from "../../lib/http/message.ts";

/** All bytes of `body`; none where there is no body. */
export async function bytesOf(body: ResponseBody): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array(0);
  return body instanceof Uint8Array ? body : await readWhole(body);
}

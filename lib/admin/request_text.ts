/**
 * Reads request bodies of the management API, with limits of size and time, and checks their type.
 *
 * @module
 */

import type { z } from "zod";
import { AdminRefusal } from "./admin_response.ts";

/** The largest body that is read. */
export const MAX_BODY_BYTES = 1024 * 1024;
const MAX_WAIT_MS = 10_000;

/**
 * The body as text.
 *
 * A browser does not let a form or a script of another site send either of the expected types without a preflight request.
 * A request without a type is accepted only without a body, where the body is optional: a form always has a type, even an
 * empty one, and any other cross-site request of a browser has Origin, which was checked before.
 *
 * @param expected The media type.
 * @param optional Whether the body may be left out.
 * @throws {AdminRefusal} 400, 408, 413 or 415.
 */
export async function requestText(request: Request, expected: string, optional = false): Promise<string> {
  const given = request.headers.get("content-type");
  if (given === null && optional && isEmpty(request)) return "";
  const type = (given ?? "").split(";")[0].trim().toLowerCase();
  if (type !== expected) {
    const found = type === "" ? "missing" : JSON.stringify(type);
    const detail = `Content-Type is ${found}, expected ${expected}` +
      (optional ? ", or neither a type nor a body" : "");
    throw new AdminRefusal(415, detail, { headers: { accept: expected } });
  }
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const bytes = await readAll(request.body);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new AdminRefusal(400, "The body is not UTF-8");
  }
}

/**
 * Reads a body as JSON and checks it.
 *
 * @throws {AdminRefusal} 400 when it is not JSON, 422 when it does not match the schema.
 */
export function checkedJson<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AdminRefusal(400, "The body is no JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => ({ path: path.map(String).join("."), message }));
  const detail = problems.map(({ path, message }) => path === "" ? message : `${path}: ${message}`).join("; ");
  throw new AdminRefusal(422, detail, { members: { problems } });
}

function isEmpty({ headers }: Request): boolean {
  return Number(headers.get("content-length") ?? 0) === 0 && !headers.has("transfer-encoding");
}

async function readAll(body: Request["body"]): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), MAX_WAIT_MS);
  try {
    for (;;) {
      const read = await Promise.race([reader.read(), late.promise]);
      // Not cancelled: the runtime would never settle the read that is pending.
      if (read === "late") throw new AdminRefusal(408, `The body did not end within ${MAX_WAIT_MS} ms`);
      if (read.done) break;
      length += read.value.length;
      if (length > MAX_BODY_BYTES) {
        await reader.cancel();
        throw tooLarge();
      }
      chunks.push(read.value);
    }
  } finally {
    clearTimeout(timer);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function tooLarge(): AdminRefusal {
  return new AdminRefusal(413, `The body has more than ${MAX_BODY_BYTES} bytes`);
}

/**
 * A GET request with a chosen Host field, which `fetch` does not allow.
 *
 * @module
 */

/** The used parts of a response. */
export interface PlainResponse {
  readonly status: number;
  /** The body as text; a chunked body is not decoded. */
  readonly body: string;
}

/** Maximum number of bytes that are read of a response. */
const MAX_BYTES = 64 * 1024;

/**
 * Sends a GET request for an `http://` URL.
 *
 * @param host Value of Host.
 * @throws {DOMException} `TimeoutError`, when the response is not complete within `timeoutMs`.
 * @throws {Error} Nothing listens there, or the response is not HTTP.
 */
export async function plainGet(url: URL, host: string, timeoutMs: number): Promise<PlainResponse> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  late.catch(() => {});
  const timer = setTimeout(() => reject(new DOMException("The response took too long", "TimeoutError")), timeoutMs);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const connecting = Deno.connect({ hostname, port: Number(url.port || 80) });
  try {
    using connection = await Promise.race([connecting, late]);
    const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `host: ${host}`, "connection: close", "", ""];
    await Promise.race([connection.write(new TextEncoder().encode(lines.join("\r\n"))), late]);
    return responseOf(await Promise.race([readAll(connection), late]));
  } finally {
    clearTimeout(timer);
    // A connection that opens after the timeout is closed.
    connecting.then((connection) => close(connection), () => {});
  }
}

async function readAll(connection: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  for (let bytes = 0; bytes < MAX_BYTES;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    bytes += count;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (isWhole(text)) break;
  }
  return text;
}

function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1];
  return end >= 0 && length !== undefined && text.length - end - 4 >= Number(length);
}

function responseOf(text: string): PlainResponse {
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(text) ?? [];
  if (status === undefined) throw new Error("what listens there does not speak HTTP");
  return { status: Number(status), body: text.slice(text.indexOf("\r\n\r\n") + 4) };
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // The connection is closed already.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/**
 * The requests of a workload, as plain data, which both load generators follow.
 *
 * @module
 */

/** What is asked and what is expected. */
export interface RequestPlan {
  method: string;
  /** Asked in turn. */
  paths: readonly string[];
  headers: Readonly<Record<string, string>>;
  /** Length of the body; 0 for none. */
  bodyBytes: number;
  /** Whether each request comes on a connection of its own. */
  newConnection: boolean;
  /** Status of the answer. */
  status: number;
  /** Length of the answer's body. */
  answerBytes: number;
}

/** The bytes of the request for `path`. */
export function requestBytes(plan: RequestPlan, host: string, path: string): Uint8Array<ArrayBuffer> {
  const lines = [`${plan.method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(plan.headers)) lines.push(`${name}: ${value}`);
  if (plan.newConnection) lines.push("Connection: close");
  if (plan.bodyBytes > 0) lines.push(`Content-Length: ${plan.bodyBytes}`);
  return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body(plan.bodyBytes)}`);
}

/** A body of that length: JSON, since that is what is posted most. */
export function body(bytes: number): string {
  return bytes < 16 ? "".padEnd(bytes, "0") : `{"text":"${"a".repeat(bytes - 11)}"}`;
}

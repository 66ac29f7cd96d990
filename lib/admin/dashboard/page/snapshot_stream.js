/**
 * Snapshots out of a stream of server-sent events. `EventSource` cannot send an API key, so the stream is read here.
 *
 * @module
 */

/** @typedef {import("../../snapshot.ts").Snapshot} Snapshot */

/**
 * The snapshots of a stream, until it ends.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Snapshot, void, void>}
 */
export async function* readSnapshots(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      // Only the new part can hold the end of an event, or complete it.
      const from = Math.max(0, text.length - 1);
      text += decoder.decode(value, { stream: true });
      let begin = 0;
      for (let end = text.indexOf("\n\n", from); end >= 0; end = text.indexOf("\n\n", begin)) {
        const snapshot = snapshotOf(text.slice(begin, end));
        begin = end + 2;
        if (snapshot !== undefined) yield snapshot;
      }
      if (begin > 0) text = text.slice(begin);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/**
 * @param {string} event
 * @returns {Snapshot | undefined}
 */
function snapshotOf(event) {
  let name = "message";
  let data = "";
  for (const line of event.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    if (line.startsWith("data:")) data += line.slice(5);
  }
  return name === "snapshot" ? JSON.parse(data) : undefined;
}

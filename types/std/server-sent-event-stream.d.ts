/** The part of `@std/http/server-sent-event-stream` that BWS uses. */

/** An event. */
export interface ServerSentEventMessage {
  /** Its name, without a line end. */
  event?: string;
  /** Its data. */
  data?: string;
}

/** Turns events into the bytes of a `text/event-stream`. */
export class ServerSentEventStream extends TransformStream<ServerSentEventMessage, Uint8Array<ArrayBuffer>> {
  constructor();
}

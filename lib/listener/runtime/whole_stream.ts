/**
 * Checks whether a stream has its whole body already, like the stream of a response made from text: such a body is sent with
 * its length.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** The result of a check. */
export interface LookedAt {
  /** All bytes, if they are available. */
  readonly whole: Bytes;
  /** Otherwise a stream of the same bytes. */
  readonly rest: ReadableStream<Bytes> | undefined;
}

/** Turns of the microtask queue after which available bytes have been read. */
const TURNS = 16;

/** Checks `stream`, without waiting for bytes that are not available. */
export async function wholeAtOnce(stream: ReadableStream<Bytes>): Promise<LookedAt> {
  const reader = stream.getReader();
  const first = reader.read();
  const begun = await soon(first);
  if (begun?.done === true) return { whole: new Uint8Array(0), rest: undefined };
  const second = begun === undefined ? undefined : reader.read();
  const ended = second === undefined ? undefined : await soon(second);
  if (begun?.value !== undefined && ended?.done === true) return { whole: begun.value, rest: undefined };
  const reads = second === undefined ? [first] : [first, second];
  return { whole: new Uint8Array(0), rest: resumed(reader, reads) };
}

async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let result: T | undefined;
  promise.then((value) => result = value, () => {});
  for (let turn = 0; turn < TURNS && result === undefined; turn++) await null;
  return result;
}

function resumed(
  reader: ReadableStreamDefaultReader<Bytes>,
  reads: Promise<ReadableStreamReadResult<Bytes>>[],
): ReadableStream<Bytes> {
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await (reads.shift() ?? reader.read());
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

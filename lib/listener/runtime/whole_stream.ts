/**
 * Finds out whether a stream holds all of its body already, as that of a response made of text does: such a body goes out
 * with its length.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** A stream that was looked at. */
export interface LookedAt {
  /** All bytes, where they were here. */
  readonly whole: Bytes;
  /** Where they were not: a stream of the same. */
  readonly rest: ReadableStream<Bytes> | undefined;
}

/** Turns of the microtask queue in which what is here has arrived. */
const TURNS = 16;

/** Looks at `stream`, without waiting for what is not here. */
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

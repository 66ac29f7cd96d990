/**
 * The last objects of kinds that exist only while something is under way. V8 forgets the shape of an object, and with it all
 * code that was compiled for that shape, where collections find none of its kind left, as they do in a process that has
 * rested for some seconds: the requests after it would cost several times as much, until the code is compiled again.
 *
 * @module
 */

/** The last objects of one thread. Each holds what it refers to, such as a connection, until the next takes its place. */
class LastObjects {
  /** With its request, and the connection of its client. */
  exchange: unknown = undefined;
  /** With its last attempt. */
  forwarding: unknown = undefined;
  responseHead: unknown = undefined;
  abort: unknown = undefined;
}

/** The last objects of this thread. */
export const lastObjects: LastObjects = new LastObjects();

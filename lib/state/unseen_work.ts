/**
 * What the runtime has to do for this thread, or may have, without telling anybody. A loop that waits for events itself
 * leaves the runtime its turn more often where there may be such work.
 *
 * @module
 */

/** The work of one thread. */
class UnseenWork {
  /** Whether the thread is another program's, which embeds BWS and uses the runtime as it likes. */
  embedded = true;
  /** Open servers of the runtime; calls of middleware, and connects and writes of `node:net`, that have not ended. */
  pending = 0;

  /** Whether there may be any. */
  get possible(): boolean {
    return this.embedded || this.pending > 0;
  }
}

/** The work of this thread. */
export const unseenWork: UnseenWork = new UnseenWork();

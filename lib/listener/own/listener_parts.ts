/**
 * What the connections of one listener share.
 *
 * @module
 */

import type { Responder } from "../../exchange/responder.ts";
import type { Peer } from "../../http/message.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import type { FrontViews } from "../../http1/front_views.ts";
import type { ListenerLimits } from "./limits_schema.ts";
import type { ListenerConnection } from "./listener_connection.ts";
import type { ListenerMetrics } from "./listener_metrics.ts";
import type { CloseCause } from "./close_cause.ts";
import type { OutgoingHead } from "./outgoing_head.ts";
import type { RequestContext } from "./parsed_request.ts";
import type { ParserPool } from "./parser_pool.ts";
import type { WaitingHeads } from "./waiting_heads.ts";

/** The parts of one listener. */
export interface ListenerParts extends RequestContext {
  /** Responds to the next request. */
  readonly responder: Responder;
  readonly limits: ListenerLimits;
  /** Where clients connect to; the address is empty where the listener has all of the machine. */
  readonly local: Peer;
  /** The clock of all deadlines. */
  readonly clock: CoarseClock;
  readonly parsers: ParserPool;
  /** Composes heads of responses. */
  readonly head: OutgoingHead;
  readonly waitingHeads: WaitingHeads;
  /** Where messages are composed. */
  readonly memory: FrontViews;
  /** Called once when a connection has closed. */
  readonly onClose: (connection: ListenerConnection, cause: CloseCause) => void;
  /** Called when the protocol of a connection is known: `connection` takes the place of `first`. */
  readonly onChosen: (first: ListenerConnection, connection: ListenerConnection) => void;
  readonly metrics: ListenerMetrics;
}

/**
 * What the parts of a connection that read frames need of it.
 *
 * @module
 */

import type { BlockKind, FieldBlock, FieldLimits } from "./field_block.ts";
import type { FloodBudget } from "./flood_budget.ts";
import type { FrameWriter } from "./frame_writer.ts";
import type { ReceiveWindow } from "./receive_window.ts";
import type { SendScheduler } from "./send_scheduler.ts";
import type { PeerSettings } from "./settings.ts";
import type { Http2Stream, ResetCause, StreamHandler } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";

/** The connection of an input. */
export interface FrameOwner {
  readonly closed: boolean;
  readonly server: boolean;
  readonly block: FieldBlock;
  readonly budget: FloodBudget;
  readonly streams: StreamTable;
  readonly writer: FrameWriter;
  readonly scheduler: SendScheduler;
  readonly settings: PeerSettings;
  readonly receiveWindow: ReceiveWindow;
  readonly options: { readonly fieldLimits: FieldLimits; readonly maxStreams: number };
  readonly host: {
    accept(stream: Http2Stream, block: FieldBlock, ended: boolean): void;
    goAway(lastStreamId: number, code: number): void;
  };
  unconsumedBytes: number;
  lastPeerStream: number;
  readonly lastAccepted: number;
  peerLeaving: boolean;
  /** Whether a stream has not been opened yet. */
  isIdle(streamId: number): boolean;
  addStream(id: number, handler: StreamHandler): Http2Stream;
  blockKind(stream: Http2Stream | undefined): BlockKind;
  release(bytes: number): void;
  endRemote(stream: Http2Stream): void;
  streamError(stream: Http2Stream, code: number, message: string): void;
  abort(stream: Http2Stream, code: number, cause: ResetCause, message: string): void;
  settingsApplied(windowBefore: number): void;
  ponged(payload: number): void;
}

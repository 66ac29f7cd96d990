/**
 * The representation of a file in HTTP: its header lines, which are built once, and its bytes while they are cached.
 *
 * @module
 */

import type { HeaderLines } from "../../http/message.ts";
import type { ContentCoding } from "../../http/accepted_codings.ts";
import { ComposedLines } from "../../http1/composed_lines.ts";
import { entityTagOf } from "./entity_tag.ts";
import type { FoundFile } from "./file_root.ts";
import { type FileStamp, settledAt } from "./file_stamp.ts";
import { formatHttpDate } from "./http_date.ts";
import { UNKNOWN_MEDIA_TYPE } from "../../http/media_type.ts";

/** Properties of a representation besides its file. */
export interface RepresentationOptions {
  /** Content-Type of the file without its coding. */
  readonly contentType: string;
  /** Content coding of the file that is sent. */
  readonly coding: ContentCoding;
  /** Whether other codings of the file exist, so that the response needs `Vary: Accept-Encoding`. */
  readonly varies: boolean;
  /** More header lines, of 200, 206 and 304. */
  readonly lines: readonly string[];
  /** The current time in milliseconds since 1970. */
  readonly nowMs: number;
}

/** One file in one coding, as it is sent. */
export interface Representation {
  readonly found: FoundFile;
  readonly options: RepresentationOptions;
  readonly sizeBytes: number;
  readonly entityTag: string | undefined;
  /** Names the content; undefined while it may change without a sign of it. */
  readonly contentKey: string | undefined;
  /** Value of Last-Modified. */
  readonly lastModified: string | undefined;
  /** Last-Modified in milliseconds since 1970, in whole seconds. */
  readonly lastModifiedMs: number | undefined;
  /** Lines of a 200. */
  readonly okLines: HeaderLines;
  /** Lines of a 200 and a 206 alike: all but Content-Type, Content-Length and Content-Range. */
  readonly partLines: HeaderLines;
  /** Lines of a 304: those of RFC 9110, section 15.4.5. */
  readonly notModifiedLines: HeaderLines;
  /** {@linkcode okLines} as bytes. */
  readonly okBytes: ComposedLines;
  /** {@linkcode notModifiedLines} as bytes. */
  readonly notModifiedBytes: ComposedLines;
  /** The whole content while it is cached. Must not be changed. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  /** When `bytes` were read, in milliseconds since 1970. */
  bytesReadAtMs: number;
}

/**
 * Creates the representation of a file in the state of its stamp.
 *
 * @param found The file that is sent.
 * @param options Properties of the representation.
 * @param stamp State of the file; by default that when it was found.
 */
export function represent(
  found: FoundFile,
  options: RepresentationOptions,
  stamp: FileStamp = found.stamp,
): Representation {
  const entityTag = entityTagOf(stamp, options.coding);
  const lastModifiedMs = wholeSeconds(stamp.modifiedMs, options.nowMs);
  const lastModified = lastModifiedMs === undefined ? undefined : formatHttpDate(lastModifiedMs);
  const notModifiedLines: HeaderLines = [];
  if (entityTag !== undefined) notModifiedLines.push("etag", entityTag);
  if (lastModified !== undefined) notModifiedLines.push("last-modified", lastModified);
  if (options.varies) notModifiedLines.push("vary", "accept-encoding");
  notModifiedLines.push(...options.lines);
  const partLines = [...notModifiedLines, "accept-ranges", "bytes"];
  if (options.coding !== "") partLines.push("content-encoding", options.coding);
  if (options.contentType === UNKNOWN_MEDIA_TYPE) partLines.push("x-content-type-options", "nosniff");
  const typeLine = ["content-type", options.contentType];
  return {
    found,
    options,
    sizeBytes: stamp.sizeBytes,
    entityTag,
    contentKey: contentKeyOf(found, stamp, options.nowMs),
    lastModified,
    lastModifiedMs: lastModified === undefined ? undefined : lastModifiedMs,
    okLines: [...typeLine, "content-length", String(stamp.sizeBytes), ...partLines],
    partLines,
    notModifiedLines,
    okBytes: new ComposedLines([...typeLine, ...partLines], stamp.sizeBytes),
    notModifiedBytes: new ComposedLines(notModifiedLines),
    bytes: undefined,
    bytesReadAtMs: 0,
  };
}

function contentKeyOf({ realPath }: FoundFile, stamp: FileStamp, nowMs: number): string | undefined {
  const { device, inode, sizeBytes, modifiedMs, changedMs } = stamp;
  if (inode === null || !settledAt(stamp, nowMs)) return undefined;
  return `${device} ${inode} ${sizeBytes} ${modifiedMs} ${changedMs} ${realPath}`;
}

/** A modification time in the future is replaced by the current time (RFC 9110, section 8.8.2.1). */
function wholeSeconds(timeMs: number | undefined, nowMs: number): number | undefined {
  return timeMs === undefined ? undefined : Math.floor(Math.min(timeMs, nowMs) / 1000) * 1000;
}

/**
 * The access line as one JSON object, written as bytes: it is the format that is used where no other is asked for.
 *
 * @module
 */

import { type AccessLevel, type AccessRecord, levelOf } from "./access_line.ts";
import { LineBatch } from "./line_batch.ts";
import { jsonString, withoutControls } from "./printable.ts";
import { RepeatedMember } from "./repeated_member.ts";
import { shownQuery, shownTarget } from "./shown_query.ts";

/** Adds the record, without a line terminator. Referer and User-Agent are the only header fields in it. */
export function writeJsonAccessLine(record: AccessRecord, level: AccessLevel, batch: LineBatch): void {
  const { id, attempts, query, protocol, upstreamMs } = record;
  batch.put(level === "info" ? infoHead() : bytesOf(headOf(level)));
  if (id === undefined) batch.json(record.requestId);
  else {
    batch.byte(QUOTE);
    batch.written(id);
    batch.byte(QUOTE);
  }
  batch.put(CLIENT);
  batch.ascii(record.clientAddress);
  batch.put(METHOD);
  batch.json(record.method);
  batch.put(hosts.of(record.host));
  batch.json(query === "" ? record.path : shownTarget(record.path, query));
  if (protocol !== undefined) batch.text(`,"protocol":"${protocol}"`);
  batch.put(sites.of(record.site));
  batch.integer(record.status);
  batch.put(BYTES);
  batch.integer(record.bytes);
  batch.put(DURATION);
  batch.milliseconds(record.durationMs);
  if (attempts > 0) {
    batch.put(upstreams.of(record.upstream));
    if (upstreamMs < 0) batch.put(NULL);
    else batch.milliseconds(upstreamMs);
    batch.put(ATTEMPTS);
    batch.integer(attempts);
  }
  writeRest(record, batch);
  batch.byte(END);
}

/** The same as text. */
export function jsonAccessLine(record: AccessRecord, level: AccessLevel = levelOf(record)): string {
  const batch = new LineBatch();
  writeJsonAccessLine(record, level, batch);
  return decoder.decode(batch.take());
}

/** Members that most lines do not have. */
function writeRest(record: AccessRecord, batch: LineBatch): void {
  const { user, failures, closeCode, referer, userAgent, cause } = record;
  if (user) batch.text(`,"user":${jsonString(user)}`);
  if (failures !== undefined) batch.text(`,"failed_attempts":${withoutControls(JSON.stringify(failures))}`);
  if (closeCode) batch.text(`,"bytes_in":${record.receivedBytes ?? 0},"close_code":${closeCode}`);
  if (referer !== "") batch.text(`,"referer":${jsonString(shownQuery(referer))}`);
  if (userAgent !== "") batch.put(userAgents.of(userAgent));
  if (cause !== "") batch.text(`,"cause":${jsonString(cause)},"cause_owner":"${record.causeOwner}"`);
}

function headOf(level: AccessLevel): string {
  return `{"time":"${new Date().toISOString()}","level":"${level}","message":"request","request_id":`;
}

/** The beginning of most lines: made once a second, and of it three digits once a millisecond. */
function infoHead(): Uint8Array {
  const now = Date.now();
  if (now === lastMs) return lastHead;
  const second = Math.floor(now / 1000);
  if (second !== lastSecond) {
    lastHead = bytesOf(headOf("info"));
    lastSecond = second;
  }
  lastMs = now;
  const ms = now - 1000 * second;
  lastHead[MS_AT] = ZERO + Math.floor(ms / 100);
  lastHead[MS_AT + 1] = ZERO + Math.floor(ms / 10) % 10;
  lastHead[MS_AT + 2] = ZERO + ms % 10;
  return lastHead;
}

function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
let lastMs = -1;
let lastSecond = -1;
let lastHead: Uint8Array = new Uint8Array(0);
/** Where the milliseconds stand in a head. */
const MS_AT = '{"time":"2026-11-28T06:30:00.'.length;
const hosts = new RepeatedMember(',"host":', ',"path":');
const sites = new RepeatedMember(',"site":', ',"status":');
const upstreams = new RepeatedMember(',"upstream":', ',"upstream_ms":');
const userAgents = new RepeatedMember(',"user_agent":', "");
const CLIENT = bytesOf(',"client":"');
const METHOD = bytesOf('","method":');
const BYTES = bytesOf(',"bytes":');
const DURATION = bytesOf(',"duration_ms":');
const NULL = bytesOf("null");
const ATTEMPTS = bytesOf(',"attempts":');
const QUOTE = 0x22;
const END = 0x7d;
const ZERO = 0x30;

/**
 * When a log file is rotated, what its old files are called, and which of them are kept.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { basename } from "@std/path/basename";
// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";
// @ts-types="../../types/std/path.d.ts"
import { join } from "@std/path/join";

/** When a file is rotated, and what becomes of old files. */
export interface Rotation {
  /** Largest file, in bytes; undefined for no limit. */
  readonly size?: number | undefined;
  /** Length of a period, in milliseconds: the first line of a new one begins a new file. undefined for no periods. */
  readonly every?: number | undefined;
  /** Old files that are kept; 0 for all. */
  readonly keep: number;
  /** Age from which old files are deleted, in milliseconds; undefined for no limit. */
  readonly keep_for?: number | undefined;
  /** Whether old files are compressed with gzip. */
  readonly compress: boolean;
}

/** A file that was rotated. */
export interface OldFile {
  readonly path: string;
  readonly compressed: boolean;
  /** When it was rotated, in milliseconds since 1970. */
  readonly rotatedMs: number;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970 began on a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The period of a time, as a number. Periods begin at midnight UTC, those of weeks on Monday. */
export function periodOf(ms: number, every: number): number {
  return Math.floor((ms - (every % WEEK_MS === 0 ? FIRST_MONDAY_MS : 0)) / every);
}

/** The name of a file that is rotated at `nowMs`: its path, and behind it the time. */
export function rotatedName(path: string, nowMs: number): string {
  return `${path}.${new Date(nowMs).toISOString().replaceAll(":", "")}`;
}

/** The old files of a log file, the oldest first. Files with other names are never touched. */
export async function oldFiles(path: string): Promise<OldFile[]> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const found: OldFile[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const match = isFile && name.startsWith(prefix) ? ROTATED.exec(name.slice(prefix.length)) : null;
    if (match === null) continue;
    const [, date, hours, minutes, seconds, suffix] = match;
    const rotatedMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`);
    found.push({ path: join(folder, name), compressed: suffix === ".gz", rotatedMs });
  }
  return found.sort((a, b) => a.rotatedMs - b.rotatedMs);
}

/** Those of `files`, the oldest first, that are deleted. */
export function expired(files: readonly OldFile[], { keep, keep_for }: Rotation, nowMs: number): OldFile[] {
  const kept = keep === 0 ? 0 : Math.max(files.length - keep, 0);
  return files.filter(({ rotatedMs }, index) =>
    index < kept || (keep_for !== undefined && nowMs - rotatedMs > keep_for)
  );
}

const ROTATED = /^(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2}\.\d{3})Z(\.gz)?$/;

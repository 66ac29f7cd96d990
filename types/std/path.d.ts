/**
 * The parts of `@std/path` that BWS uses, each of which is a module of its own.
 *
 * @module
 */

/** The last part of a path. */
export function basename(path: string, suffix?: string): string;
/** A path without its last part. */
export function dirname(path: string): string;
/** Whether a path begins at a root. */
export function isAbsolute(path: string): boolean;
/** Parts as one path. */
export function join(path: string, ...paths: string[]): string;
/** The path that leads from one to the other. */
export function relative(from: string, to: string): string;
/** An absolute path: the parts from the right up to the first that is absolute, else from the working folder. */
export function resolve(...paths: string[]): string;

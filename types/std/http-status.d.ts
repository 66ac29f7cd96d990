/** The part of `@std/http/status` that BWS uses. */

/** The reason phrase of each status that the library knows. */
export const STATUS_TEXT: Readonly<Record<number, string | undefined>>;

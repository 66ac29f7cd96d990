/** The part of `@std/media-types` that BWS uses. */

/** The media type of an extension or type, with its charset where the database knows one. */
export function contentType(extensionOrType: string): string | undefined;

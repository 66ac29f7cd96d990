/**
 * The static table of HPACK (RFC 7541, appendix A).
 *
 * @module
 */

/** How many entries it has. Index 1 is the first, index 62 the newest of the dynamic table. */
export const STATIC_ENTRIES = 61;

/** Names by index; nothing is at 0. */
export const STATIC_NAMES: readonly string[] = ["", ...table().map(([name]) => name)];
/** Values by index. */
export const STATIC_VALUES: readonly string[] = ["", ...table().map(([, value = ""]) => value)];

/** What the static table has of one name. */
export interface StaticName {
  /** Lowest index. */
  readonly index: number;
  /** Index of each value, where it has values. */
  readonly values: ReadonlyMap<string, number> | undefined;
}

/** What it has, by name. */
export const STATIC_BY_NAME: ReadonlyMap<string, StaticName> = byName();

function table(): (readonly [name: string, value?: string])[] {
  return [
    [":authority"],
    [":method", "GET"],
    [":method", "POST"],
    [":path", "/"],
    [":path", "/index.html"],
    [":scheme", "http"],
    [":scheme", "https"],
    ...["200", "204", "206", "304", "400", "404", "500"].map((status) => [":status", status] as const),
    ["accept-charset"],
    ["accept-encoding", "gzip, deflate"],
    ...("accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control " +
      "content-disposition content-encoding content-language content-length content-location content-range content-type " +
      "cookie date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since " +
      "last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after " +
      "server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate")
      .split(" ").map((name) => [name] as const),
  ];
}

function byName(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> | undefined }>();
  for (let index = 1; index <= STATIC_ENTRIES; index++) {
    const known = names.get(STATIC_NAMES[index]) ?? { index, values: undefined };
    if (STATIC_VALUES[index] !== "") (known.values ??= new Map()).set(STATIC_VALUES[index], index);
    names.set(STATIC_NAMES[index], known);
  }
  return names;
}

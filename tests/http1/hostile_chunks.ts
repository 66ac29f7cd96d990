/**
 * Chunked bodies of requests that must be refused.
 *
 * @module
 */

/** What is wrong, and the body. */
export const BAD_CHUNKS: Readonly<Record<string, string>> = {
  "a size that is no number": "xyz\r\nabc\r\n0\r\n\r\n",
  "a size with a sign": "+3\r\nabc\r\n0\r\n\r\n",
  "a size with 0x": "0x3\r\nabc\r\n0\r\n\r\n",
  "an empty size": "\r\nabc\r\n0\r\n\r\n",
  "a size beyond counting": "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
  "a size that is too small": "2\r\nabc\r\n0\r\n\r\n",
  "a size line with a bare line feed": "3\nabc\r\n0\r\n\r\n",
  "a chunk that ends in a bare line feed": "3\r\nabc\n0\r\n\r\n",
  "an extension with a bare line feed": "3;a\nb\r\nabc\r\n0\r\n\r\n",
  "a trailer with a bare line feed": "3\r\nabc\r\n0\r\nX: y\n\r\n",
  "a trailer section that ends in a bare line feed": "3\r\nabc\r\n0\r\n\n\r\n\r\n",
  "extensions without end": `3;${"a".repeat(70_000)}\r\nabc\r\n0\r\n\r\n`,
};

/**
 * Messages that show when one is lost, cut or out of order: `KIND:N:LENGTH:…`, filled up with a letter that N decides.
 *
 * @module
 */

/** The message with a number; most are short, one in a hundred is long. */
export function numbered(kind: string, number: number): string {
  const length = number % 97 === 3 ? 20_000 : number % 10 === 9 ? 3000 : (number * 37) % 150;
  return `${kind}:${number}:${length}:${letter(number).repeat(length)}`;
}

/** What is wrong with a message that should be the one with `number`, or undefined. */
export function judge(text: string, kind: string, number: number): string | undefined {
  if (text === numbered(kind, number)) return undefined;
  return `"${text.slice(0, 30)}" of ${text.length} characters came instead of "${kind}:${number}"`;
}

function letter(number: number): string {
  return String.fromCharCode(97 + number % 26);
}

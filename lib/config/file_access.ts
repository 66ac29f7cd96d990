/**
 * Whether this user may access files and folders as a running server does. Each access is tried, since the mode of a file is
 * not enough: groups, access lists and read-only file systems matter, too.
 *
 * @module
 */

/** What is at `path`; undefined if nothing is, an error if it may not be read. */
export function fileAt(path: string): Deno.FileInfo | Error | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Why a file cannot be read, or undefined if it can. */
export function readFault(path: string): string | undefined {
  return faultOf(() => Deno.openSync(path).close());
}

/** Why files in a folder cannot be opened, or undefined if they can. The list of names need not be readable. */
export function enterFault(path: string): string | undefined {
  return faultOf(() => Deno.statSync(`${path}/.`));
}

/** Why the list of names in a folder cannot be read, or undefined if it can. */
export function listFault(path: string): string | undefined {
  return faultOf(() => Deno.readDirSync(path)[Symbol.iterator]().next());
}

/** Why an existing file cannot be appended to, or undefined if it can. Nothing is written. */
export function appendFault(path: string): string | undefined {
  return faultOf(() => Deno.openSync(path, { append: true }).close());
}

/** Why a file cannot be created in a folder, or undefined if it can. A file is created and removed at once. */
export function createFault(folder: string): string | undefined {
  return faultOf(() => Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: ".bws-check-" })));
}

/** The reason of the system, without the path, which the message has already or must not show. */
export function reasonOf(error: Error): string {
  const reason = error.message.replace(/: \w+(?: '.*)?$/s, "").replace(/ \(os error \d+\)/, "");
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

function faultOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof Error) return reasonOf(error);
    throw error;
  }
}

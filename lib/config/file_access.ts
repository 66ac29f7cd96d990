/**
 * Whether this user may do with files and folders what a running server does. Each is tried rather than judged by its mode:
 * groups, access lists and read-only file systems have their say too.
 *
 * @module
 */

/** What is at `path`; undefined where nothing is, an error where nobody may look. */
export function fileAt(path: string): Deno.FileInfo | Error | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    if (error instanceof Error) return error;
    throw error;
  }
}

/** Why a file cannot be read, or undefined where it can. */
export function readFault(path: string): string | undefined {
  return faultOf(() => Deno.openSync(path).close());
}

/** Why files in a folder cannot be reached, or undefined where they can. Their names need not be readable for that. */
export function enterFault(path: string): string | undefined {
  return faultOf(() => Deno.statSync(`${path}/.`));
}

/** Why the names in a folder cannot be read, or undefined where they can. */
export function listFault(path: string): string | undefined {
  return faultOf(() => Deno.readDirSync(path)[Symbol.iterator]().next());
}

/** Why a file that is there cannot be appended to, or undefined where it can. Nothing is written. */
export function appendFault(path: string): string | undefined {
  return faultOf(() => Deno.openSync(path, { append: true }).close());
}

/** Why a file cannot be made in a folder, or undefined where it can. One is made for that, and removed at once. */
export function createFault(folder: string): string | undefined {
  return faultOf(() => Deno.removeSync(Deno.makeTempFileSync({ dir: folder, prefix: ".bws-check-" })));
}

/** Why the system refused, without the path, which messages have already or may not show. */
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

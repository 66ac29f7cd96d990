/**
 * A folder with files, for as long as a test needs it.
 *
 * @module
 */

// @ts-types="../../types/std/path.d.ts"
import { dirname } from "@std/path/dirname";

/**
 * Runs a test's work in a folder of its own, and removes that afterwards.
 *
 * @param files Text by path below the folder; folders on the way are made.
 */
export async function inTemporaryFolder(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${folder}/${path}`), { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, text);
    }
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

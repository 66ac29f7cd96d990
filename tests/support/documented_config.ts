/**
 * What stands in blocks of the documentation: configs, programs and commands.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A block. */
export interface DocumentedBlock {
  /** Path of the page, from the root of the repository. */
  readonly page: string;
  /** Line of the page on which the block begins. */
  readonly line: number;
  readonly text: string;
}

/** Pages of documentation, by their paths from the root of the repository. */
export async function pagesOfDocumentation(): Promise<string[]> {
  const pages = ["README.md"];
  for (const folder of ["docs", "docs/recipes"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith(".md")) pages.push(`${folder}/${name}`);
    }
  }
  return pages.sort();
}

/** The configs of a page. */
export async function configsOf(page: string): Promise<DocumentedBlock[]> {
  return await blocksOf(page, "toml");
}

/** The blocks of a page in one language. */
export async function blocksOf(page: string, language: string): Promise<DocumentedBlock[]> {
  const text = await Deno.readTextFile(new URL(page, ROOT));
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(({ index, 1: named, 2: content }) =>
    named === language ? [{ page, line: text.slice(0, index).split("\n").length + 1, text: content }] : []
  );
}

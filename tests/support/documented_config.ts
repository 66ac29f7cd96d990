/**
 * The configs that stand in the documentation, as blocks of TOML.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** A block of TOML. */
export interface DocumentedConfig {
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

/** The blocks of a page. */
export async function configsOf(page: string): Promise<DocumentedConfig[]> {
  const text = await Deno.readTextFile(new URL(page, ROOT));
  return [...text.matchAll(/^```toml\n(.*?)^```$/gms)].map((match) => ({
    ...{ page, line: text.slice(0, match.index).split("\n").length + 1, text: match[1] },
  }));
}

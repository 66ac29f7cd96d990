/**
 * The text of the config that `bws init` writes, with comments.
 *
 * @module
 */

import type { InitAnswers } from "./init_answers.ts";
import { isPublic } from "./init_answers.ts";

/**
 * Writes a config.
 *
 * @param answers What it is for; `root` is relative to the folder of the config.
 */
export function initText(answers: InitAnswers): string {
  const parts = [HEAD, ...management(answers), site(answers), ...files(answers), ...proxy(answers), COMPRESSION];
  return parts.map((part) => part.trim()).join("\n\n") + "\n";
}

const HEAD = `
# \`bws check\` says what is wrong with this file, \`bws explain /a/path\` what becomes of a request, \`bws --watch\` runs it
# and reads it again when it changes. \`bws schema\` has all keys for your editor.`;

function management({ dashboard }: InitAnswers): string[] {
  if (!dashboard) return [];
  return [`
# Dashboard, API and metrics (/metrics) at http://127.0.0.1:7654, for this machine alone.
[management]
enabled = true`];
}

function site({ hostname, port, upstreams }: InitAnswers): string {
  const lines = ["[[sites]]"];
  if (hostname === undefined) {
    lines.push("# Without a host name, requests for any host come here.", '# hostname = "example.com"');
  } else {
    lines.push(`hostname = ${quoted(hostname)}`);
  }
  if (port === 443) {
    lines.push(
      hostname !== undefined && isPublic(hostname)
        ? "# HTTPS, with a certificate of Let's Encrypt, which BWS orders and renews. Requests to port 80 are redirected to it."
        : "# HTTPS, with a certificate of this machine's own authority: `bws trust` makes the machine trust it.",
    );
  }
  lines.push(`port = ${port}`);
  if (upstreams.length > 0) {
    lines.push(
      "# BWS's own endpoints, such as /_bws/health for `bws health`. Without this line they are below /api.",
      'internal_api = "/_bws"',
    );
  }
  return lines.join("\n");
}

function files({ root, singlePage, paths, upstreams }: InitAnswers): string[] {
  if (root === undefined) return [];
  const all = upstreams.length > 0 && paths.includes("/");
  const lines = [
    "# Relative to this file. Names that begin with a dot are not served.",
    `static_dir = ${quoted(root)}`,
  ];
  if (!all) {
    const key = 'try_files = ["$path", "/index.html"]';
    lines.push("# Paths that are no files get the page, for applications that route in the browser.");
    lines.push(singlePage ? key : `# ${key}`);
  }
  return [lines.join("\n")];
}

function proxy({ root, upstreams, paths, health }: InitAnswers): string[] {
  if (upstreams.length === 0) return [];
  const parts = upstreams.map((url, index) => {
    const comment = index === 0 ? "# Upstreams of one name share the load.\n" : "";
    return `${comment}[[sites.proxy.upstreams]]\nname = "app"\nurl = ${quoted(url)}`;
  });
  for (const path of paths) {
    const lines = ["[[sites.proxy.routes]]", `path = ${quoted(path)}`, 'upstream = "app"', "websocket = true"];
    if (path.endsWith("/") && path !== "/") {
      lines.push("# The app gets the path without this prefix:", "# strip_prefix = true");
    }
    if (path === "/" && root !== undefined) lines.push("# A file goes before the app.", 'try_files = ["$path"]');
    parts.push(lines.join("\n"));
  }
  if (upstreams.length > 1) {
    parts.push(
      '# Others are "round_robin", "cookie" (a client stays with its upstream), "ip_hash" and more.\n' +
        '[sites.proxy.load_balancing]\nmethod = "least_connections"',
    );
  }
  parts.push(
    health === undefined
      ? '# An upstream that fails its checks gets no requests.\n# [sites.proxy.health_check]\n# path = "/health"\n# interval = "10s"'
      : "# An upstream that fails its checks gets no requests.\n" +
        `[sites.proxy.health_check]\npath = ${quoted(health)}\ninterval = "10s"`,
  );
  return parts;
}

const COMPRESSION = `
# zstd, br and gzip, for clients that take them.
# [sites.compression]
# enabled = true`;

/** A basic string of TOML; JSON's escapes are among its own. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

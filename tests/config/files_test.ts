// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join, relative } from "node:path";
import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";
import { createHandler } from "../../lib/process/create_handler.ts";
import { assertErrors, PROXY } from "./marked_config.ts";

const inFolder = (run: (dir: string) => void | Promise<void>) => inTemporaryFolder({}, run);

Deno.test("Relative paths start from the folder of the config and come out absolute", async () => {
  await inFolder((dir) => {
    Deno.mkdirSync(join(dir, "www"));
    Deno.mkdirSync(join(dir, "logs"));
    Deno.writeTextFileSync(join(dir, "404.html"), "");
    Deno.writeTextFileSync(join(dir, "ca.pem"), "-----BEGIN CERTIFICATE-----\n");
    const text = `[logging]\noutput = "logs/bws.log"\n` +
      PROXY.replace("[[sites]]", '[[sites]]\nstatic_dir = "./www"\nerror_pages = { 404 = "404.html" }')
        .replace('"http://127.0.0.1:3000"', '"https://x"\ntls = { ca_file = "ca.pem" }');
    const { config, problems } = parseConfig(text, { baseDir: dir });
    assertEquals(problems, []);
    assertEquals(config?.logging.output, join(dir, "logs/bws.log"));
    assertEquals(config?.sites[0].static_dir, join(dir, "www"));
    assertEquals(config?.sites[0].error_pages, { "404": join(dir, "404.html") });
    assertEquals(config?.sites[0].proxy?.upstreams[0].tls?.ca_file, join(dir, "ca.pem"));
  });
});

Deno.test("A path that is in the working folder, and not in the config's, is refused, with the path to write", async () => {
  await inFolder((dir) => {
    Deno.mkdirSync(join(dir, "www"));
    Deno.writeTextFileSync(join(dir, "file"), "");
    const here = relative(Deno.cwd(), dir);
    const base = join(dir, "etc", "bws");
    const text = `[logging]\noutput = «"${here}/www/bws.log"»\n` +
      PROXY.replace("[[sites]]", `[[sites]]\nstatic_dir = «"${here}/www"»\nerror_pages = { 404 = «"${here}/file"» }`)
        .replace('"http://127.0.0.1:3000"', `"https://x"\ntls = { ca_file = «"${here}/file"» }`);
    const lookedFor = (name: string) =>
      `"${here}/${name}" is not there (looked for "${
        join(base, here, name)
      }", as paths start from the folder of the config)`;
    assertErrors(text, [
      `the folder "${
        join(base, here, "www")
      }" of logging.output is not there, expected "stdout", "stderr" or a file in a folder that exists (did you mean "../../www/bws.log"?)`,
      `static_dir ${lookedFor("www")}, expected a folder (did you mean "../../www"?)`,
      `error_pages.404 ${lookedFor("file")}, expected a file (did you mean "../../file"?)`,
      `ca_file ${lookedFor("file")}, expected a file (did you mean "../../file"?)`,
    ], { baseDir: base, checkFiles: true });
  });
});

Deno.test("Files and folders that are not there, or are of the wrong kind, are refused", async () => {
  await inFolder((dir) => {
    Deno.writeTextFileSync(join(dir, "file"), "");
    const text = PROXY.replace(
      "[[sites]]",
      `[[sites]]\nstatic_dir = «"nope"»\nerror_pages = { 404 = «"nope.html"», 500 = «"."», 503 = "file" }`,
    ).replace('"http://127.0.0.1:3000"', `"https://x"\ntls = { ca_file = «"${dir}/ca.pem"» }`) +
      `[[sites]]\nport = 1\nstatic_dir = «"file"»`;
    assertErrors(text, [
      `static_dir "nope" is not there (looked for "${dir}/nope", as paths start from the folder of the config), expected a folder`,
      `error_pages.404 "nope.html" is not there (looked for "${dir}/nope.html", as paths start from the folder of the config), expected a file`,
      'error_pages.500 "." is a folder, expected a file',
      `ca_file "${dir}/ca.pem" is not there, expected a file`,
      'static_dir "file" is a file, expected a folder',
    ], { baseDir: dir, checkFiles: true });
  });
});

Deno.test("A log whose folder is not there is refused, and one that is made on opening is not", async () => {
  await inFolder((dir) => {
    const log = (output: string) => `[logging]\noutput = ${output}\n${PROXY}`;
    const options = { baseDir: dir, checkFiles: true };
    assertErrors(log('«"logs/bws.log"»'), [
      `the folder "${dir}/logs" of logging.output is not there, expected "stdout", "stderr" or a file in a folder that exists`,
    ], options);
    assertErrors(log('«"."»'), [`logging.output "${dir}" is a folder, expected a file`], options);
    assertEquals(parseConfig(log('"bws.log"'), options).problems, []);
    assertEquals(parseConfig(log('"stderr"'), options).problems, []);
    assertEquals(parseConfig(log('"logs/bws.log"'), { baseDir: dir, checkFiles: false }).problems, []);
  });
});

Deno.test("loadConfig() reads a file, with a byte order mark and CRLF too", async () => {
  await inFolder(async (dir) => {
    const path = join(dir, "bws.toml");
    await Deno.writeTextFile(path, '\ufeff[[sites]]\r\nstatic_dir = "."\r\nprot = 80\r\n');
    const { config, warnings, file } = await loadConfig(path, { lenient: true });
    assertEquals([config.sites[0].static_dir, file], [dir, path]);
    assertEquals(warnings.map(({ line, column, sourceLine }) => [line, column, sourceLine]), [[3, 1, "prot = 80"]]);
  });
});

Deno.test("Problems of the first line are placed as if there were no byte order mark", () => {
  const { problems } = parseConfig('\ufeffsites = 5\r\n[server]\r\nname = ""\r\n');
  assertEquals(problems.map(({ line, column, length }) => [line, column, length]), [[1, 9, 1], [3, 8, 2]]);
});

Deno.test("loadConfig() throws all problems of a file that is refused", async () => {
  await inFolder(async (dir) => {
    const path = join(dir, "bws.toml");
    await Deno.writeTextFile(path, '[[sites]]\nstatic_dir = "nope"\nport = 70000\n');
    const error = await assertRejects(() => loadConfig(path), ConfigError);
    assertEquals(error.problems.map(({ file, line }) => [file, line]), [[path, 2], [path, 3]]);
    assertStringIncludes(error.message, `${path}:3:8: error: port is 70000`);
  });
});

Deno.test("loadConfig() says why a file cannot be read and what to do", async () => {
  await inFolder(async (dir) => {
    const missing = await assertRejects(() => loadConfig(join(dir, "nope.toml")), ConfigError);
    assertEquals(
      missing.message,
      `${dir}/nope.toml: error: the config file is not there, expected the path of a TOML file; \`bws init\` writes one`,
    );
    assertInstanceOf(missing.cause, Deno.errors.NotFound);
    const folder = await assertRejects(() => loadConfig(dir), ConfigError);
    assertEquals(
      folder.message,
      `${dir}: error: the config file is a folder, expected the path of a TOML file; \`bws files\` serves a folder`,
    );
    await Deno.writeFile(join(dir, "bad.toml"), new Uint8Array([0x23, 0xff]));
    const binary = await assertRejects(() => loadConfig(join(dir, "bad.toml")), ConfigError);
    assertStringIncludes(binary.message, "the config file is not UTF-8");
  });
});

Deno.test({
  name: "What this user may not read, enter, list or write is refused at its place",
  // Root may do all of it
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  async fn() {
    await inFolder((dir) => {
      Deno.mkdirSync(join(dir, "closed"), { mode: 0o600 });
      Deno.mkdirSync(join(dir, "unlisted"), { mode: 0o300 });
      Deno.writeTextFileSync(join(dir, "page"), "", { mode: 0o200 });
      Deno.writeTextFileSync(join(dir, "log"), "", { mode: 0o400 });
      Deno.mkdirSync(join(dir, "full"), { mode: 0o500 });
      const site = (keys: string) => `[[sites]]\nport = 0\n${keys}\n`;
      const text = (log: string) =>
        `[logging]\noutput = «"${log}"»\n${site('static_dir = «"closed"»')}` +
        site('static_dir = «"unlisted"»\nbrowse = true') + site('static_dir = "unlisted"') +
        site('static_dir = "full"\nerror_pages = { 404 = «"page"» }');
      const rest = [
        'static_dir "closed" cannot be entered: permission denied, expected a folder that this user may enter',
        `static_dir "${
          join(dir, "unlisted")
        }" cannot be listed: permission denied, expected a folder that this user may read, or no browse`,
        'error_pages.404 "page" cannot be read: permission denied, expected a file that this user may read',
      ];
      const expected = '"stdout", "stderr" or a file that this user may write';
      const log = (name: string, done: string) => `logging.output "${join(dir, name)}" cannot be ${done}`;
      const options = { baseDir: dir, checkFiles: true, tryLog: true };
      assertErrors(
        text("log"),
        [`${log("log", "written")}: permission denied, expected ${expected}`, ...rest],
        options,
      );
      assertErrors(
        text("full/log"),
        [`${log("full/log", "created")}: permission denied, expected ${expected}`, ...rest],
        options,
      );
      for (const name of ["closed", "unlisted", "full"]) Deno.chmodSync(join(dir, name), 0o700);
    });
  },
});

Deno.test("A log is tried where that is asked for, and nothing of it is left", async () => {
  await inFolder((dir) => {
    const check = (tryLog: boolean, log = "bws.log") =>
      parseConfig(`[logging]\noutput = "${log}"\n[[sites]]\nstatic_dir = "."`, { baseDir: dir, tryLog }).problems;
    assertEquals(check(true), []);
    assertEquals([...Deno.readDirSync(dir)], []);
    // No user at all can make a file there
    const [problem] = check(true, "/proc/bws.log");
    assertEquals([problem.line, problem.column], [2, 10]);
    assertStringIncludes(problem.message, 'logging.output "/proc/bws.log" cannot be created: ');
    assertEquals(check(false, "/proc/bws.log"), []);
    Deno.writeTextFileSync(join(dir, "bws.log"), "a line\n");
    assertEquals(check(true), []);
    assertEquals(Deno.readTextFileSync(join(dir, "bws.log")), "a line\n");
  });
});

Deno.test("A ca_file without a certificate, and an error page that is no file, are refused", async () => {
  await inFolder((dir) => {
    Deno.writeTextFileSync(join(dir, "key.pem"), "-----BEGIN PRIVATE KEY-----\n");
    assertErrors(
      PROXY.replace('"http://127.0.0.1:3000"', '"https://x"\ntls = { ca_file = «"key.pem"» }'),
      [
        `ca_file "${
          join(dir, "key.pem")
        }" holds no certificate, expected a PEM file with "-----BEGIN CERTIFICATE-----"`,
      ],
      { baseDir: dir, checkFiles: true },
    );
    assertErrors(
      '[[sites]]\nstatic_dir = "."\nerror_pages = { 500 = «"/dev/null"» }',
      ['error_pages.500 "/dev/null" is neither a file nor a folder, expected a file'],
      { baseDir: dir, checkFiles: true },
    );
  });
});

Deno.test("Precompressed files that are older than their file are warned of, where that is asked for", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/www/js`, { recursive: true });
    const write = async (path: string, seconds: number) => {
      await Deno.writeTextFile(`${folder}/www/${path}`, "x");
      await Deno.utime(`${folder}/www/${path}`, seconds, seconds);
    };
    const [older, newer] = [1_700_000_000, 1_700_000_001];
    for (const path of ["js/app.js", "fresh.css", "fixed.css"]) await write(path, newer);
    for (const path of ["js/app.js.gz", "alone.css.br"]) await write(path, older);
    await write("fresh.css.zst", newer);
    await write("fixed.css.gz", 1); // no time at all
    const warnings = (keys: string, searchFolders: boolean) =>
      parseConfig(`[[sites]]\nstatic_dir = "www"\n${keys}`, { baseDir: folder, searchFolders }).warnings
        .map(({ line, message }) => `${line}: ${message}`);
    assertEquals(warnings("", true), [
      '2: precompressed files are older than their files, and are not served: "js/app.js.gz"',
    ]);
    assertEquals(warnings("", false), []);
    assertEquals(warnings("precompressed = false", true), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Where there is no config file, a path that is not there is said to start from baseDir or the working folder", async () => {
  await inFolder((dir) => {
    const sites = [{ static_dir: "nope" }];
    for (const input of [{ sites }, '[[sites]]\nstatic_dir = "nope"\n']) {
      assertThrows(
        () => createHandler(input, { baseDir: dir }),
        ConfigError,
        `static_dir "nope" is not there (looked for "${dir}/nope", as paths start from baseDir)`,
      );
      assertThrows(
        () => createHandler(input),
        ConfigError,
        `static_dir "nope" is not there (looked for "${Deno.cwd()}/nope", as paths start from the working folder)`,
      );
    }
  });
});

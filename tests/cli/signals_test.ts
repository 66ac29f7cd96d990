// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../support/condition.ts";
import { freePort } from "../support/port.ts";
import { BwsProcess, MAIN } from "./bws_process.ts";

const UNIX = Deno.build.os !== "windows";

/** A config that serves a folder, in a folder of its own. */
async function configFile(more = "", site = ""): Promise<{ folder: string; file: string; port: number }> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/a.txt`, "here");
  const port = freePort();
  const file = `${folder}/config.toml`;
  await Deno.writeTextFile(
    file,
    `${more}\n[[sites]]\nlisten = "127.0.0.1"\nport = ${port}\nstatic_dir = ${JSON.stringify(folder)}\n${site}\n`,
  );
  return { folder, file, port };
}

async function ask(port: number): Promise<string> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  return await (await fetch(`http://127.0.0.1:${port}/a.txt`, { client })).text();
}

async function contains(path: string, text: string): Promise<void> {
  await until(`${path} holds ${text}`, async () => (await Deno.readTextFile(path).catch(() => "")).includes(text));
}

/** Ports that a process listens on. */
async function listening(pid: number): Promise<string> {
  const { stdout } = await new Deno.Command("ss", { args: ["-ltnpH"], stdout: "piped" }).output();
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.includes(`pid=${pid},`)).join("\n");
}

for (const workers of [1, 2]) {
  Deno.test({
    name: `SIGUSR1 opens the log file anew and no debugger, with ${workers} workers`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const { folder, file, port } = await configFile(
        `[server]\nworkers = ${workers}\n[logging]\noutput = "access.log"`,
      );
      try {
        await using bws = new BwsProcess(["run", file], { cwd: folder });
        await bws.until(/listening on/);
        const log = `${folder}/access.log`;
        assertEquals(await ask(port), "here");
        await contains(log, `"path":"/a.txt"`);
        await Deno.rename(log, `${log}.1`);
        // A file of the name is there at once, though nothing is logged.
        bws.signal("SIGUSR1");
        await until("the log file is opened anew", () => Deno.stat(log).then(() => true, () => false));
        assertEquals(await ask(port), "here");
        await contains(log, `"path":"/a.txt"`);
        const open = await listening(bws.pid);
        assertStringIncludes(open, `:${port} `);
        await until("the debugger is closed", async () => !(await listening(bws.pid)).includes(":9229 "));
        bws.signal("SIGTERM");
        assertEquals((await bws.ended()).code, 0);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

Deno.test({
  name: "Signals that mean nothing to bws neither end it nor cut anybody",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { folder, file, port } = await configFile();
    try {
      await using bws = new BwsProcess(["run", file]);
      await bws.until(/listening on/);
      for (
        const signal of [
          "SIGUSR1",
          "SIGUSR2",
          "SIGALRM",
          "SIGVTALRM",
          "SIGIO",
          "SIGPWR",
          "SIGPIPE",
          "SIGWINCH",
        ] as const
      ) {
        bws.signal(signal);
        assertEquals(await ask(port), "here", signal);
      }
      bws.signal("SIGTERM");
      assertEquals((await bws.ended()).code, 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "SIGQUIT ends bws in order, as it ends nginx",
  ignore: !UNIX,
  fn: async () => {
    const { folder, file } = await configFile();
    try {
      await using bws = new BwsProcess(["run", file]);
      await bws.until(/listening on/);
      bws.signal("SIGQUIT");
      const { code, stderr } = await bws.ended();
      assertEquals(code, 0);
      assertStringIncludes(stderr, "bws stops: SIGQUIT");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "SIGTERM ends bws although nobody reads what it writes, on either output",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const { folder, file, port } = await configFile();
    try {
      // Both outputs go into a pipe of which a line is read, and which is open until the shell's input ends.
      const child = new Deno.Command("sh", {
        args: [
          "-c",
          `exec 3<&0; "$@" 2>&1 < /dev/null | { read -r line; echo "$line"; read -r line <&3; }`,
          ...["sh", Deno.execPath(), "run", "--no-check", "-A", MAIN, "run", file],
        ],
        stdin: "piped",
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      // A line is about 300 bytes: this is several times what a pipe holds.
      for (let i = 0; i < 1500; i++) assertEquals(await ask(port), "here");
      const { stdout } = await new Deno.Command("pgrep", {
        args: ["-f", `main.ts run ${file}`],
        stdout: "piped",
      }).output();
      const pids = new TextDecoder().decode(stdout).trim().split("\n").map(Number)
        .filter((pid) => Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("deno"));
      assertEquals(pids.length, 1);
      Deno.kill(pids[0], "SIGTERM");
      await until("bws ends", () => Deno.stat(`/proc/${pids[0]}/exe`).then(() => false, () => true), 20_000);
      await child.stdin.close();
      await child.status;
      await reader.cancel();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "A reload that is refused is said on standard error too, when the log is a file",
  ignore: !UNIX,
  fn: async () => {
    const { folder, file } = await configFile(`[logging]\noutput = "access.log"`);
    try {
      await using bws = new BwsProcess(["run", file], { cwd: folder });
      await bws.until(/listening on/);
      await Deno.writeTextFile(file, "[[sites]]\nport = 99999\n");
      bws.signal("SIGHUP");
      await bws.until(/config\.toml:2:8: error: .*99999/);
      await bws.until(/bws: the config is refused, the one before goes on/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

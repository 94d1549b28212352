import assert from "node:assert/strict";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { VERSION } from "../../../lib/cli/version.ts";
import { manualPages } from "../../../tools/man/pages.ts";
import { buildArchive } from "../../../tools/package/archive.ts";
import { buildDeb } from "../../../tools/package/deb.ts";
import { release } from "../../../tools/release.ts";
import { BINARY, demand, NSPAWN, REPOSITORY, Root, run, WORK } from "../support.ts";

/** Fast, not small: what is tried is the same. */
const QUICK = { compression: "gzip", level: "1" };
const DEB = await buildDeb(BINARY, `${WORK}/deb`, QUICK);

/** One for all that only look at packages: it is large. */
const WORKSHOP = await Root.copy("workshop");
await WORKSHOP.put(DEB, "/tmp/prmig.deb");

async function installed(): Promise<Root> {
  const root = await Root.copy("clean");
  await root.put(DEB, "/tmp/prmig.deb");
  await root.demand(["dpkg", "--install", "/tmp/prmig.deb"]);
  return root;
}

Deno.test("the Debian package: packing twice gives the same bytes", async () => {
  const again = await buildDeb(BINARY, `${WORK}/deb-again`, QUICK);
  await demand(["cmp", DEB, again]);
});

Deno.test("the Debian package: lintian has nothing to say that is not explained", async () => {
  const words = ["--pedantic", "--display-info", "--fail-on", "error,warning,info", "--no-tag-display-limit"];
  const { code, stdout } = await WORKSHOP.run(["lintian", ...words, "/tmp/prmig.deb"]);
  assert.deepEqual([code, stdout], [0, ""]);
  const overrides = await Deno.readTextFile(`${REPOSITORY}packaging/debian/lintian-overrides`);
  for (const [, before] of overrides.matchAll(/(^|.*\n)prmig: /g)) assert.match(before!, /^#|^prmig: /, "explained");
});

Deno.test("a clean Debian 12: installed, used as the README says, removed", async (t) => {
  await using root = await installed();

  await t.step("there is no Deno, no Node, no compiler", async () => {
    for (const program of ["deno", "node", "gcc", "cc", "python3"]) {
      assert.notEqual((await root.run(["sh", "-c", `command -v ${program}`])).code, 0, program);
    }
  });
  await t.step("prmig demo tells its story", async () => {
    assert.match(await root.demand(["prmig", "demo"]), /That is prmig\./);
  });
  await t.step("prmig dump shows a simulated LUN", async () => {
    const words = ["prmig", "dump", "sim:/tmp/lun.json?nexus=A&create", "--json"];
    assert.equal(JSON.parse(await root.demand(words)).reservation, null);
  });
  await t.step("an ordinary user can, too", async () => {
    const words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "prmig", "explain", "06/2a/05"];
    assert.match(await root.demand(words), /Registrations preempted/);
  });
  await t.step("every manual page is there, can be read, and whatis knows it", async () => {
    for (const file of manualPages(release()).keys()) {
      const [name, section] = [file.slice(0, file.lastIndexOf(".")), file.slice(-1)];
      const { code, stdout, stderr } = await root.run(["man", "--warnings=w", section, name], { MANWIDTH: "80" });
      assert.deepEqual([code, stderr], [0, ""], file);
      assert.match(stdout, /^PRMIG/);
      const long = stdout.split("\n").filter((line) => line.length > 80 && !/^ {7}(?: {4}|.*\|)/.test(line));
      assert.deepEqual(long, [], file);
    }
    const known = await root.demand(["whatis", ...COMMANDS.map(({ name }) => `prmig-${name}`)]);
    assert.equal(known.trim().split("\n").length, COMMANDS.length);
  });
  await t.step("bash completes a sub-command and its options once bash-completion is there", async () => {
    const offered = async (line: string): Promise<string[]> => {
      const words = line.split(" ");
      const script = `
        source /usr/share/bash-completion/bash_completion
        _completion_loader prmig
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
        _prmig; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return (await root.demand(["bash", "-c", script, "bash", ...words])).split("\n").filter((word) => word !== "");
    };
    assert.deepEqual(await offered("prmig pre"), ["preempt"]);
    assert.deepEqual(await offered("prmig dump --ti"), ["--timeout"]);
  });
  await t.step("systemd finds nothing wrong with the units, and calls the service safe", async () => {
    const units = ["service", "socket"].map((kind) => `/usr/lib/systemd/system/prmig-snoop.${kind}`);
    assert.deepEqual(await root.run(["systemd-analyze", "verify", ...units]), { code: 0, stdout: "", stderr: "" });
    const words = ["systemd-analyze", "security", "--no-pager", "--offline=true", "prmig-snoop.service"];
    const score = Number(/exposure level for .*?: ?(\d+\.\d)/.exec(plain(await root.demand(words)))?.[1]);
    console.log(`    systemd-analyze security: exposure ${score} of 10`);
    assert.ok(score <= 2, `exposure ${score}; it was 1.6 when this was written`);
  });
  await t.step("group, directories and their permissions are there", async () => {
    assert.match(await root.demand(["getent", "group", "kvm"]), /^kvm:/);
    const modes = await root.demand([
      "stat",
      "-c",
      "%a %U %n",
      "/run/prmig",
      "/var/lib/prmig",
      "/var/lib/prmig/journal",
    ]);
    assert.deepEqual(modes.trim().split("\n"), [
      "755 root /run/prmig",
      "700 root /var/lib/prmig",
      "700 root /var/lib/prmig/journal",
    ]);
  });
  await t.step("what is installed is what was packed", async () => {
    assert.deepEqual(await root.run(["dpkg", "--verify", "prmig"]), { code: 0, stdout: "", stderr: "" });
  });
  await t.step("removing leaves nothing but state; purging nothing but an unfinished hand-over", async () => {
    await root.demand(["sh", "-c", "echo {} > /var/lib/prmig/journal/unfinished.json"]);
    await root.demand(["dpkg", "--remove", "prmig"]);
    assert.deepEqual(await left(root), [
      "/run/prmig",
      "/var/lib/prmig",
      "/var/lib/prmig/journal",
      "/var/lib/prmig/journal/unfinished.json",
    ]);
    const { code, stderr } = await root.run(["dpkg", "--purge", "prmig"]);
    assert.equal(code, 0);
    assert.match(stderr, /journals of hand-overs that were not finished, and stays/);
    await root.demand(["dpkg", "--install", "/tmp/prmig.deb"]);
    await root.demand(["rm", "/var/lib/prmig/journal/unfinished.json"]);
    await root.demand(["dpkg", "--purge", "prmig"]);
    assert.deepEqual(await left(root), []);
  });
});

/** Files of ours beside the package itself and what dpkg and man keep. */
async function left(root: Root): Promise<string[]> {
  const words = [
    "find",
    "/",
    "-xdev",
    "(",
    "-path",
    "/proc",
    "-o",
    "-path",
    "/var/lib/dpkg",
    "-o",
    "-path",
    "/var/cache/man",
    ")",
  ];
  const found = await root.demand([...words, "-prune", "-o", "-path", "*prmig*", "-print"]);
  return found.split("\n").filter((path) => path !== "" && path !== "/tmp/prmig.deb" && path !== "/tmp/lun.json")
    .sort();
}

Deno.test("zsh and fish complete sub-commands, options and their values", async (t) => {
  const root = WORKSHOP;
  await root.demand(["dpkg", "--install", "/tmp/prmig.deb"]);

  await t.step("fish", async () => {
    const offered = async (line: string): Promise<string[]> => {
      const stdout = await root.demand(["fish", "-c", `complete -C '${line}'`]);
      return stdout.split("\n").map((row) => row.split("\t")[0]!).filter((word) => word !== "");
    };
    assert.deepEqual((await offered("prmig ")).sort(), COMMANDS.map(({ name }) => name).sort());
    assert.deepEqual(await offered("prmig dump --ti"), ["--timeout"]);
    assert.deepEqual((await offered("prmig preempt /dev/sda --type WE")).sort(), ["WE", "WE-AR", "WE-RO"]);
    assert.ok((await offered("prmig help exit")).includes("exit-codes"));
  });
  await t.step("zsh", async () => {
    await Deno.writeTextFile(`${root.path}/tmp/list.zsh`, LIST_CHOICES);
    // A pseudo terminal, as completion needs the line editor and that one a terminal.
    const devpts = "mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx";
    const offered = async (line: string): Promise<string> =>
      plain(await root.demand(["sh", "-c", `${devpts} && exec timeout 30 zsh -f /tmp/list.zsh "$1"`, "sh", line]));
    const commands = await offered("prmig ");
    for (const { name } of COMMANDS) assert.match(commands, new RegExp(`^${name} +-- `, "m"), name);
    assert.match(await offered("prmig dump --"), /^--timeout +-- limit of each SCSI command/m);
    assert.match(await offered("prmig preempt --type "), /WE-RO/);
  });
});

/** Has a zsh of its own complete a line, and prints what it shows. */
const LIST_CHOICES = `
zmodload zsh/zpty
zpty -b inner zsh -f -i
zpty -w inner 'PROMPT=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; LISTMAX=1000
  stty cols 200 rows 200; show() { zle list-choices }; zle -N show; bindkey "^X" show; echo READY'
zpty -r inner line '*READY*READY*'
zpty -n -w inner "$1"$'\\x18'
sleep 1
zpty -n -w inner $'\\x15exit\\n'
while zpty -r inner line; do print -rn -- "$line"; done
`;

Deno.test("systemd starts the service at the first connection, confined, and stops it in good order", async () => {
  await using root = await installed();
  const script = `#!/bin/sh
exec >/result 2>&1
systemctl start prmig-snoop.socket
stat -c 'socket %a %U %G' /run/prmig/pr-helper.sock
systemctl is-active prmig-snoop.service
perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new("/run/prmig/pr-helper.sock") or die $!; alarm 20; sysread($s, my $b, 4); print "greeted ", length($b), "\\n"'
systemctl is-active prmig-snoop.service
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$(systemctl show -P MainPID prmig-snoop.service)/status
systemctl stop prmig-snoop.socket prmig-snoop.service
systemctl show -p Result,ExecMainStatus prmig-snoop.service
journalctl --boot --unit prmig-snoop --output cat
systemctl poweroff --force
`;
  const unit = "[Service]\nType=oneshot\nExecStart=/try.sh\n";
  await Deno.writeTextFile(`${root.path}/try.sh`, script);
  await Deno.chmod(`${root.path}/try.sh`, 0o755);
  await Deno.writeTextFile(`${root.path}/etc/systemd/system/try.service`, unit);
  const wanted = `${root.path}/etc/systemd/system/multi-user.target.wants`;
  await Deno.mkdir(wanted, { recursive: true });
  await Deno.symlink("/etc/systemd/system/try.service", `${wanted}/try.service`);
  const words = ["--register=no", "--keep-unit", "--private-network", "--capability=CAP_SYS_RAWIO", "--quiet"];
  const booted = await run(["timeout", "120", NSPAWN.path, "-D", root.path, ...words, "/lib/systemd/systemd"], {
    env: NSPAWN.env,
  });
  const result = await Deno.readTextFile(`${root.path}/result`).catch(() => `${booted.stdout}\n${booted.stderr}`);
  for (
    const line of [
      "socket 660 root kvm",
      "inactive",
      "greeted 4",
      "active",
      "CapEff:\t0000000000020000",
      "CapBnd:\t0000000000020000",
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "Result=success",
      "ExecMainStatus=0",
    ]
  ) assert.ok(result.split("\n").includes(line), `${line}\n--- in:\n${result}`);
  assert.match(result, /message|msg=serving/);
});

Deno.test("the RPM recipe makes a package of the same files", async () => {
  const root = WORKSHOP;
  const archive = await buildArchive(BINARY, `${WORK}/archive`, 1);
  await root.put(archive, `/tmp/${archive.slice(archive.lastIndexOf("/") + 1)}`);
  await root.put(`${REPOSITORY}packaging/rpm/prmig.spec`, "/tmp/prmig.spec");
  const defines = Object.entries({
    _sourcedir: "/tmp",
    _topdir: "/tmp/rpm",
    _binary_payload: "w1.gzdio",
    prmig_version: VERSION,
  }).flatMap(([name, value]) => ["--define", `${name} ${value}`]);
  await root.demand(["rpmbuild", "-bb", ...defines, "/tmp/prmig.spec"]);
  const rpm = `/tmp/rpm/RPMS/x86_64/prmig-${VERSION}-1.x86_64.rpm`;
  const packed = (await root.demand(["rpm", "-qpl", rpm])).trim().split("\n");
  const inArchive = (await demand(["tar", "-tzf", archive])).trim().split("\n").filter((path) => !path.endsWith("/"))
    .map((path) => path.replace(/^[^/]+/, "").replace("vendor-completions/_prmig", "site-functions/_prmig"));
  assert.deepEqual(inArchive.filter((path) => !packed.includes(path)), []);
  const { stdout } = await root.run(["rpm", "-qpR", rpm]);
  assert.match(stdout, /^glibc >= 2\.27$/m);
});

/** Without what colours and links add. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\]8;;[^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?]*[A-Za-z]/g, "");
}

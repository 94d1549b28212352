/**
 * The libvirt route's script, with programs in the place of virsh and prmig that write down how they are called.
 */
import assert from "node:assert/strict";

const SCRIPT = new URL("../../../packaging/libvirt/prmig-virsh-migrate", import.meta.url).pathname;
const REGISTERED = '{"registrations":[{"self":true}]}';
const STRANGER = '{"registrations":[{"self":false}]}';
const DISKS = ` Type    Device   Target   Source
-----------------------------------------
 file    disk     vda      /var/lib/images/vm1.qcow2
 block   lun      sda      /dev/sdb
 block   lun      sdb      /dev/sdc
 block   disk     sdc      /dev/sdd
`;

interface Played {
  readonly code: number;
  readonly calls: readonly string[];
  readonly stderr: string;
}

/** What the programs do: exit codes, and what `prmig dump` says of each disk. */
interface Part {
  readonly migrate?: number;
  readonly send?: number;
  readonly resume?: number;
  readonly dump?: Readonly<Record<string, string>>;
}

async function play(words: readonly string[], part: Part = {}): Promise<Played> {
  const directory = await Deno.makeTempDir({ prefix: "prmig-virsh-" });
  const { migrate = 0, send = 0, resume = 0 } = part;
  const dump = { "/dev/sdb": REGISTERED, "/dev/sdc": STRANGER, ...part.dump };
  const answers = Object.entries(dump).map(([disk, json]) =>
    `*${disk}) ${json === "" ? "exit 4" : `echo '${json}'`} ;;`
  );
  const programs = {
    virsh:
      `case "$*" in domblklist*) cat <<'EOF'\n${DISKS}EOF\n;; migrate*) exit ${migrate} ;; *resume*) exit ${resume} ;; esac`,
    prmig: `case "$*" in dump*) case "$*" in ${answers.join(" ")} esac ;; send*) exit ${send} ;; esac`,
  };
  try {
    for (const [name, body] of Object.entries(programs)) {
      const text = `#!/bin/sh\necho "${name} $*" >>'${directory}/calls'\n${body}\n`;
      await Deno.writeTextFile(`${directory}/${name}`, text, { mode: 0o755 });
    }
    const { code, stderr } = await new Deno.Command("/bin/sh", {
      args: [SCRIPT, ...words],
      env: { PATH: `${directory}:/usr/bin:/bin` },
      clearEnv: true,
    }).output();
    const calls = await Deno.readTextFile(`${directory}/calls`).catch(() => "");
    return {
      code,
      stderr: new TextDecoder().decode(stderr),
      calls: calls.split("\n").filter((call) => !/^$|domblklist|dump/.test(call)),
    };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const MIGRATE = "virsh migrate --live --suspend vm1 qemu+ssh://dst/system";
const SEND = "prmig send /dev/sdb --to ssh dst prmig recv --timeout 30s";
const RESUME = "virsh -c qemu+ssh://dst/system resume vm1";

Deno.test("the guest is sent and left paused, its registered LUN handed over, and then it runs", async () => {
  const { code, calls, stderr } = await play(["vm1", "dst"]);
  assert.deepEqual([code, calls], [0, [MIGRATE, SEND, RESUME]]);
  assert.match(stderr, /\/dev\/sdc: nothing of this host is registered/);
});

Deno.test("options for virsh migrate are passed on", async () => {
  const { calls } = await play(["vm1", "dst", "--persistent", "--undefinesource"]);
  assert.equal(calls[0], "virsh migrate --live --suspend --persistent --undefinesource vm1 qemu+ssh://dst/system");
});

Deno.test("a target that hides who is who is left to send; both LUNs move in one hand-over", async () => {
  const { calls } = await play(["vm1", "dst"], { dump: { "/dev/sdc": '{"registrations":[{"self":null}]}' } });
  assert.equal(calls[1], "prmig send /dev/sdb /dev/sdc --to ssh dst prmig recv --timeout 30s");
});

Deno.test("a guest without registrations is migrated and resumed, and nothing is handed over", async () => {
  const { code, calls } = await play(["vm1", "dst"], { dump: { "/dev/sdb": STRANGER } });
  assert.deepEqual([code, calls], [0, [MIGRATE, RESUME]]);
});

Deno.test("libvirt refuses: nothing is handed over, exit 1", async () => {
  const { code, calls } = await play(["vm1", "dst"], { migrate: 1 });
  assert.deepEqual([code, calls], [1, [MIGRATE]]);
});

Deno.test("a disk that cannot be read stops everything before the guest is sent", async () => {
  const { code, calls } = await play(["vm1", "dst"], { dump: { "/dev/sdb": "" } });
  assert.deepEqual([code, calls], [1, []]);
});

for (const [send, expected] of [[1, 5], [3, 3], [4, 4], [5, 5]] as const) {
  Deno.test(`a hand-over that ends with ${send}: the guest stays paused there, exit ${expected}, and how to go on is said`, async () => {
    const { code, calls, stderr } = await play(["vm1", "dst"], { send });
    assert.deepEqual([code, calls], [expected, [MIGRATE, SEND]]);
    assert.match(stderr, /paused on dst/);
    const again = /prmig-virsh-migrate (--finish .*)/.exec(stderr)![1]!;
    const second = await play(again.split(" "));
    assert.deepEqual([second.code, second.calls], [0, [SEND, RESUME]]);
  });
}

Deno.test("a guest that cannot be resumed: exit 5, and the command for it", async () => {
  const { code, stderr } = await play(["vm1", "dst"], { resume: 1 });
  assert.equal(code, 5);
  assert.match(stderr, new RegExp(RESUME.replaceAll("+", "\\+")));
});

Deno.test("wrong words, names a shell would misread, and options that would run the guest too early: exit 2, nothing done", async () => {
  const wrong = [[], ["vm1"], ["--finish", "vm1", "dst"], ["vm1", "dst;id"], ["vm 1", "dst"], ["--x", "dst"]];
  for (const words of [...wrong, ["vm1", "dst", "--postcopy"], ["vm1", "dst", "--copy-storage-all"]]) {
    const { code, calls } = await play(words);
    assert.deepEqual([code, calls], [2, []], words.join(" "));
  }
});

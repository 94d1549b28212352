/**
 * Two hosts and the storage that they share, each a machine of its own, on one network.
 *
 *     target 10.0.0.1   LIO, one LUN over iSCSI; logged in there itself, as the third initiator
 *     src    10.0.0.2   open-iscsi, sshd, a disk for its journal     `ssh dst` and `ssh src` work on both,
 *     dst    10.0.0.3   the same                                     and prmig is on their PATH
 *
 * @module
 */
import { LabUnavailable, output } from "../host/command.ts";
import { chooseAccelerator } from "../host/kvm.ts";
import { bundleProgram, prepareDeno, REPOSITORY } from "../host/lab.ts";
import { provision } from "../provision.ts";
import { Host, type HostKit } from "./machine.ts";
import type { InitiatorFacts, TargetFacts } from "./role.ts";
import { Switch } from "./switch.ts";

const ROLE = "tests/lab/hosts/role.ts";
const AGENT = "tests/lab/hosts/agent.ts";
const TIMEOUT_MS = 1_500_000;
const READY_MS = 180_000;
/** Everybody's address. */
export const ADDRESSES = { target: "10.0.0.1", src: "10.0.0.2", dst: "10.0.0.3" } as const;
const STATE_BYTES = 16 * 1024 * 1024;

/** A host that moves reservations. */
export type SideName = "src" | "dst";

/** A host, and what its session with the target made there. */
export interface Side {
  readonly host: Host;
  readonly facts: InitiatorFacts;
}

/** All three, running. */
export class ThreeHosts implements AsyncDisposable {
  readonly #sides: Partial<Record<SideName, Side>> = {};

  private constructor(
    readonly out: string,
    readonly network: Switch,
    readonly hosts: Readonly<Record<"target" | SideName, Host>>,
    readonly target: TargetFacts,
  ) {}

  /** Boots them. `note` is told how far it is. @throws LabUnavailable */
  static async start(note: (line: string) => void): Promise<ThreeHosts> {
    const out = Deno.env.get("PRMIG_HOSTS_OUT") ?? await Deno.makeTempDir({ prefix: "prmig-lab-hosts-" });
    const kit = await provideKit(out, note);
    const network = await Switch.start(["target", "src", "dst"]);
    const host = (name: "target" | SideName, number: number, devices: string[] = []): Host =>
      new Host(name, kit, [...network.card(name, number), ...devices]);
    const hosts = {
      target: host("target", 1),
      src: host("src", 2, await stateDisk(out, "src")),
      dst: host("dst", 3, await stateDisk(out, "dst")),
    };
    note(`three machines (${kit.accelerator}); their consoles are below ${out}`);
    try {
      await Promise.all(Object.values(hosts).map((each) => each.powerOn()));
      note("all three run");
      const target: TargetFacts = JSON.parse(await asked(hosts.target, ["target", ADDRESSES.target, "src", "dst"]));
      const three = new ThreeHosts(out, network, hosts, target);
      await Promise.all([three.makeReady("src"), three.makeReady("dst")]);
      await three.introduce();
      note("both initiators have the LUN");
      return three;
    } catch (error) {
      await Promise.all(Object.values(hosts).map((each) => each.end()));
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The host as it is now; its device names may be others after a power cut. */
  side(name: SideName): Side {
    const side = this.#sides[name];
    if (side === undefined) throw new Error(`${name} is not ready`);
    return side;
  }

  /** Boots a host after its power was cut, and makes it what it was. */
  async powerOnAgain(name: SideName): Promise<void> {
    await this.hosts[name].powerOn();
    await this.makeReady(name);
    await this.introduce();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.hosts).map((each) => each.end()));
    await this.network[Symbol.asyncDispose]();
  }

  /** Network, disk for the journal, iSCSI session, sshd. */
  async makeReady(name: SideName): Promise<void> {
    const host = this.hosts[name];
    const facts = await asked(host, ["initiator", ADDRESSES[name], name, JSON.stringify(this.target.portal)]);
    this.#sides[name] = { host, facts: JSON.parse(facts) };
  }

  /** Tells each how `ssh` finds the other. */
  async introduce(): Promise<void> {
    for (const [name, other] of [["src", "dst"], ["dst", "src"]] as const) {
      const { sshPort, sshKey } = this.side(other).facts;
      const config = [
        ...[`Host ${other}`, `HostName ${ADDRESSES[other]}`, `Port ${sshPort}`, "User root", "LogLevel ERROR"],
        ...["IdentityFile /run/key-of-other", "BatchMode yes", "KexAlgorithms curve25519-sha256"],
        ...["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "ServerAliveInterval 2"],
      ];
      const files = { "/run/key-of-other": sshKey, "/etc/ssh/ssh_config": `${config.join("\n")}\n` };
      for (const [path, text] of Object.entries(files)) {
        const { code, stderr } = await this.hosts[name].shell(`umask 077; printf %s "$TEXT" >${path}`, { TEXT: text });
        if (code !== 0) throw new Error(`${name}: ${stderr}`);
      }
      await this.hosts[name].shell("chmod 644 /etc/ssh/ssh_config; rm -f /root/.ssh/config");
    }
  }
}

async function provideKit(out: string, note: (line: string) => void): Promise<HostKit> {
  await Deno.mkdir(out, { recursive: true });
  const kit = await provision(note);
  const env = await prepareDeno(note, [AGENT, ROLE]);
  if (await bundleProgram(out, note) === null) throw new LabUnavailable("prmig cannot be bundled");
  env.PRMIG_LAB_PROGRAM = "/lab-out/prmig.js";
  env.LAB_BUSYBOX = kit.busybox;
  const accelerator = await chooseAccelerator(kit);
  return { kit, accelerator, repository: REPOSITORY, env, out, timeoutMs: TIMEOUT_MS };
}

/** An empty disk; what a machine has written and not synced is lost with its power. */
async function stateDisk(out: string, name: SideName): Promise<string[]> {
  const path = `${out}/${name}.disk`;
  using file = await Deno.create(path);
  await file.truncate(STATE_BYTES);
  await output(["mkfs.ext4", "-q", "-F", path]);
  return ["-drive", `file=${path},format=raw,if=none,id=state`, "-device", "virtio-blk-pci,drive=state"];
}

/** What role.ts prints first. */
async function asked(host: Host, args: readonly string[]): Promise<string> {
  const running = host.start([Deno.execPath(), "run", "-A", "--no-check", "--cached-only", ROLE, ...args]);
  for (const until = Date.now() + READY_MS; Date.now() < until;) {
    const { stdout } = running.printed();
    if (stdout.includes("\n")) return stdout;
    const ended = await Promise.race([running.finished, new Promise<null>((ok) => setTimeout(() => ok(null), 100))]);
    if (ended !== null) {
      if (ended.stdout.includes("\n")) return ended.stdout;
      throw new Error(`${host.name} as ${args[0]}: exit ${ended.code}: ${ended.stderr}`);
    }
  }
  throw new Error(`${host.name} as ${args[0]}: not ready after ${READY_MS} ms: ${running.printed().stderr}`);
}

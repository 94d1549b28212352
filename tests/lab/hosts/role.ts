/**
 * Makes a freshly booted machine what it is to be. Prints what others need of it as JSON; an initiator stays, as its sshd
 * does.
 *
 *     deno run -A tests/lab/hosts/role.ts target 10.0.0.1 src dst
 *     deno run -A tests/lab/hosts/role.ts initiator 10.0.0.2 src '{"target":...}'
 *
 * @module
 */
import { initiatorName, type IscsiPath, logIn, startIscsid } from "../iscsi/initiator.ts";
import { type Portal, startLio } from "../iscsi/lio.ts";
import { must } from "../run.ts";
import { startSshd } from "../sshd.ts";

/** What the target tells: where its LUN is found, and its own session with it, by which the LUN can be looked at. */
export interface TargetFacts {
  readonly portal: Portal;
  readonly third: IscsiPath;
}

/** What an initiator tells of itself. */
export interface InitiatorFacts extends IscsiPath {
  readonly sshPort: number;
  /** Text of the private key that its sshd lets in. */
  readonly sshKey: string;
}

/** Where initiators keep what has to outlive a power cut. */
export const STATE_DIR = "/var/lib/prmig";

/** How soon a session with a target that is out of reach is given up for the commands that wait in it. */
const SESSION = {
  "node.session.timeo.replacement_timeout": "15",
  "node.conn[0].timeo.noop_out_interval": "2",
  "node.conn[0].timeo.noop_out_timeout": "3",
};

async function network(address: string): Promise<void> {
  await must(["modprobe", "virtio_net"]);
  await must([Deno.env.get("LAB_BUSYBOX") ?? "busybox", "ifconfig", "eth0", address, "netmask", "255.255.255.0", "up"]);
}

/** The disk that the host keeps when its power is cut. */
async function keepState(): Promise<void> {
  for (const module of ["virtio_blk", "ext4"]) await must(["modprobe", module]);
  Deno.mkdirSync(STATE_DIR, { recursive: true });
  await must(["mount", "-t", "ext4", "/dev/vda", STATE_DIR]);
}

/** The bundled program under its name, in place of the one that runs from the sources. */
async function installProgram(): Promise<void> {
  const program = "/run/prmig.js";
  await Deno.copyFile(Deno.env.get("PRMIG_LAB_PROGRAM") ?? "", program);
  const run = `exec ${Deno.execPath()} run -A --no-check --cached-only --no-config ${program}`;
  await Deno.writeTextFile("/usr/local/bin/prmig", `#!/bin/sh\n${run} "$@"\n`);
}

async function initiator(address: string, name: string, portal: Portal): Promise<InitiatorFacts> {
  await network(address);
  await keepState();
  await installProgram();
  const [disk, sshd] = await Promise.all([
    startIscsid(initiatorName(name)).then(() => logIn(name, portal, SESSION)),
    startSshd({ address: "0.0.0.0" }),
  ]);
  return { ...disk, sshPort: sshd.port, sshKey: await Deno.readTextFile(sshd.identity) };
}

async function target(address: string, names: readonly string[]): Promise<TargetFacts> {
  await network(address);
  const portal = await startLio(`${address}:3260`, [...names, "third"].map(initiatorName));
  await startIscsid(initiatorName("third"));
  return { portal, third: await logIn("third", portal) };
}

const [role, address = "", ...rest] = Deno.args;
if (role === "target") {
  console.log(JSON.stringify(await target(address, rest)));
} else {
  const [name = "", portal = ""] = rest;
  console.log(JSON.stringify(await initiator(address, name, JSON.parse(portal))));
  await new Promise(() => {}); // its sshd
}

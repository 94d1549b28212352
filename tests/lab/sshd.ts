/**
 * An sshd on loopback for the lab's tests, with keys made for the occasion.
 *
 * @module
 */
import { must } from "./run.ts";

export interface Sshd {
  /** `ssh ... root@localhost`, to be followed by a remote command. */
  readonly command: readonly string[];
  /** The same in one line, for options that take a shell command, such as `--to`. */
  readonly line: string;
  readonly port: number;
  /** The private key that the server lets in. */
  readonly identity: string;
  /** Ends the server and every connection to it, as a cut line would. */
  stop(): Promise<void>;
}

const VARIABLES = ["DENO_DIR", "DENO_NO_UPDATE_CHECK", "PRMIG_LAB_JSON", "PRMIG_LAB_OUT", "LANG", "NO_COLOR"];
const READY_MS = 20_000;

/**
 * A server on a free port. `prmig` is on the PATH of what runs in it, from the sources. `forceCommand` is run in place of
 * what the client asks for, which it finds in $SSH_ORIGINAL_COMMAND; `address` is not loopback where other machines are
 * to come in.
 */
export async function startSshd(
  { forceCommand, address = "127.0.0.1" }: { forceCommand?: string; address?: string } = {},
): Promise<Sshd> {
  const directory = await Deno.makeTempDir({ prefix: "lab-sshd-" });
  for (const name of ["host", "user"]) {
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${directory}/${name}`]);
  }
  await Deno.copyFile(`${directory}/user.pub`, `${directory}/authorized_keys`);
  await prepareAccounts();
  const port = freePort(address);
  const settings = VARIABLES.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  await Deno.writeTextFile(
    `${directory}/sshd_config`,
    [
      `Port ${port}`,
      `ListenAddress ${address}`,
      `HostKey ${directory}/host`,
      `AuthorizedKeysFile ${directory}/authorized_keys`,
      "PidFile none",
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "UsePAM no",
      "StrictModes no", // the directory's parents belong to whoever they belong to on the machine
      "UseDNS no",
      "PrintMotd no",
      ...(forceCommand === undefined ? [] : [`ForceCommand ${forceCommand}`]),
      `SetEnv ${["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ...settings].join(" ")}`,
    ].join("\n") + "\n",
  );
  const server = new Deno.Command("/usr/sbin/sshd", {
    args: ["-D", "-e", "-f", `${directory}/sshd_config`],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const log = new Response(server.stderr).text();
  await untilListening(address, port, server, log);
  const options = [
    ...[
      "BatchMode=yes",
      "KexAlgorithms=curve25519-sha256",
      "IdentitiesOnly=yes",
      `IdentityFile=${directory}/user`,
      "LogLevel=ERROR",
    ],
    ...["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"],
  ];
  const command = ["ssh", "-F", "none", "-p", String(port), ...options.flatMap((o) => ["-o", o]), "root@localhost"];
  return {
    command,
    line: command.join(" "),
    port,
    identity: `${directory}/user`,
    stop: async () => {
      for (const pid of [...await childrenOf(server.pid), server.pid]) kill(pid);
      await server.status;
      await log;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** What the package's installation script would have done; and a shell that reads nobody's start-up files. */
async function prepareAccounts(): Promise<void> {
  await Deno.mkdir("/run/sshd", { recursive: true });
  let users = await Deno.readTextFile("/etc/passwd");
  if (!/^sshd:/m.test(users)) users += "sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n";
  users = users.replace(/^(root:.*):[^:]*$/m, "$1:/bin/sh"); // bash under sshd reads .bashrc, which may take seconds
  await Deno.writeTextFile("/etc/passwd", users);
  const secrets = await Deno.readTextFile("/etc/shadow");
  if (/^root:!/m.test(secrets)) { // sshd refuses a locked account, key or not
    await Deno.writeTextFile("/etc/shadow", secrets.replace(/^root:![^:]*:/m, "root:*:"));
  }
}

async function untilListening(
  hostname: string,
  port: number,
  server: Deno.ChildProcess,
  log: Promise<string>,
): Promise<void> {
  let ended = false;
  void server.status.then(() => ended = true);
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname, port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    if (ended) throw new Error(`sshd ended: ${await log}`);
    if (Date.now() > deadline) throw new Error(`sshd does not listen after ${READY_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function childrenOf(pid: number): Promise<number[]> {
  const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim();
  const own = children === "" ? [] : children.split(" ").map(Number);
  return [...(await Promise.all(own.map(childrenOf))).flat(), ...own];
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

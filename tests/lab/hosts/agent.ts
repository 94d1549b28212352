/**
 * Runs in each of the lab's hosts and does what it is told: programs started and killed, their output as it comes.
 *
 *     stdin   {"id":1,"argv":["prmig","dump"],"env":{}}      start; the program's standard input is empty
 *             {"id":1,"kill":"SIGKILL"}
 *     stdout  {"id":1,"stdout":"..."} {"id":1,"stderr":"..."} {"id":1,"code":0,"signal":null}
 *
 * @module
 */

/** What the agent is told. */
export type Order =
  | { readonly id: number; readonly argv: readonly string[]; readonly env: Record<string, string> }
  | { readonly id: number; readonly kill: Deno.Signal };

/** What it tells. Says `{"id":0,"stdout":"ready"}` first. */
export type Word =
  | { readonly id: number; readonly stdout: string }
  | { readonly id: number; readonly stderr: string }
  | { readonly id: number; readonly code: number; readonly signal: Deno.Signal | null };

const children = new Map<number, Deno.ChildProcess>();
let said: Promise<void> = Promise.resolve();

function say(word: Word): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(word)}\n`);
  said = said.then(async () => {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  });
}

async function obey(order: Order): Promise<void> {
  const { id } = order;
  if ("kill" in order) {
    const child = children.get(id);
    if (child !== undefined) child.kill(order.kill);
    return;
  }
  const [program = "", ...args] = order.argv;
  const child = new Deno.Command(program, {
    args,
    env: order.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  children.set(id, child);
  const pass = async (name: "stdout" | "stderr"): Promise<void> => {
    for await (const text of child[name].pipeThrough(new TextDecoderStream())) {
      say(name === "stdout" ? { id, stdout: text } : { id, stderr: text });
    }
  };
  const [{ code, signal }] = await Promise.all([
    child.status.finally(() => children.delete(id)),
    pass("stdout"),
    pass("stderr"),
  ]);
  say({ id, code, signal });
}

say({ id: 0, stdout: "ready" });
let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) void obey(JSON.parse(line));
}

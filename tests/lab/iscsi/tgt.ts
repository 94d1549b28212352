/**
 * tgt, the target in user space, over iSCSI: one LUN for whoever comes.
 *
 * @module
 */
import { must, type Running, start } from "../run.ts";
import type { Portal } from "./lio.ts";

const TARGET = "iqn.2026-01.org.prmig:tgt";
const FILE = "/run/prmig-lab/tgt.img";
const SIZE_BYTES = 64 * 1024 * 1024;
/** LUN 0 of a tgt target is its controller. */
const LUN = 1;
const WAIT_MS = 60_000;

/** Starts tgtd with a fresh LUN; `stop` ends it. */
export async function startTgt(address: string): Promise<{ portal: Portal; stop(): Promise<void> }> {
  await Deno.mkdir("/run/tgtd", { recursive: true });
  await Deno.mkdir(FILE.replace(/\/[^/]*$/, ""), { recursive: true });
  using file = await Deno.create(FILE);
  await file.truncate(SIZE_BYTES);
  const daemon = start(["tgtd", "-f", "--iscsi", `portal=${address}`], { timeoutMs: 3_600_000 });
  await untilServing(daemon);
  const admin = ["tgtadm", "--lld", "iscsi"];
  await must([...admin, "--mode", "target", "--op", "new", "--tid", "1", "--targetname", TARGET]);
  const unit = ["--mode", "logicalunit", "--tid", "1", "--lun", String(LUN)];
  await must([...admin, ...unit, "--op", "new", "--backing-store", FILE]);
  await must([...admin, "--mode", "target", "--op", "bind", "--tid", "1", "--initiator-address", "ALL"]);
  const stop = async (): Promise<void> => {
    daemon.kill("SIGKILL");
    await daemon.finished;
    await Deno.remove(FILE);
  };
  return { portal: { target: TARGET, address, lun: LUN }, stop };
}

async function untilServing(daemon: Running): Promise<void> {
  let said = "";
  for (const until = Date.now() + WAIT_MS; Date.now() < until;) {
    try {
      await must(["tgtadm", "--lld", "iscsi", "--mode", "sys", "--op", "show"]);
      return;
    } catch (error) {
      said = (error as Error).message;
    }
    await Promise.race([daemon.finished, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  throw new Error(`tgtd does not answer after ${WAIT_MS} ms: ${said} ${daemon.printed().stderr}`);
}

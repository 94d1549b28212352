/**
 * The kernel's own target (LIO) over iSCSI: one LUN, one portal, initiators by name.
 *
 *   fileio lunN --- iqn.2026-01.org.prmig:lio --- portal ADDRESS:3260
 *                     acls/INITIATOR   one for each name; only they may log in
 *
 * An initiator is named, not let in at large: LIO forgets the registrations of one that it made up at the login, as
 * soon as its session ends.
 *
 * @module
 */
import { createStore, prepareTarget } from "../init/luns.ts";
import { must } from "../run.ts";

const FABRIC = "/sys/kernel/config/target/iscsi";

/** Far from the numbers of the lab's own LUNs. */
const ISCSI_LUN = 0xf0;

/** Where an initiator finds a LUN. */
export interface Portal {
  readonly target: string;
  /** 10.0.0.1:3260 */
  readonly address: string;
  /** The LUN's number at the target. */
  readonly lun: number;
}

/** Offers a fresh LUN at `address`, until the machine ends: LIO keeps one that REGISTER AND MOVE was sent to. Once a boot. */
export async function startLio(address: string, initiators: readonly string[]): Promise<Portal> {
  await must(["modprobe", "iscsi_target_mod"]);
  prepareTarget();
  const target = "iqn.2026-01.org.prmig:lio";
  const group = `${FABRIC}/${target}/tpgt_1`;
  Deno.mkdirSync(`${group}/lun/lun_0`, { recursive: true });
  Deno.symlinkSync(createStore(ISCSI_LUN), `${group}/lun/lun_0/store`);
  for (const name of initiators) {
    Deno.mkdirSync(`${group}/acls/${name}/lun_0`, { recursive: true });
    Deno.symlinkSync(`${group}/lun/lun_0`, `${group}/acls/${name}/lun_0/mapped`);
  }
  await Deno.writeTextFile(`${group}/attrib/authentication`, "0\n", { create: false });
  Deno.mkdirSync(`${group}/np/${address}`);
  await Deno.writeTextFile(`${group}/enable`, "1\n", { create: false });
  return { target, address, lun: 0 };
}

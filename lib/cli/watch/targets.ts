/**
 * From the addresses a person names to LUNs to watch: several addresses of one LUN are one, and the kernel's events are
 * awaited on every path of this host to it.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { isOwn } from "../../pr/own.ts";
import type { Nexus } from "../../pr/nexus.ts";
import { readIdentity } from "../../pr/read_identity.ts";
import type { Registration } from "../../pr/types.ts";
import type { Outcome } from "../../scsi/outcome.ts";
import { resolveAddress } from "../../sg/discover.ts";
import { describeHctl, type NodeInfo } from "../../sg/node.ts";
import { parseSimAddress } from "../../sim/address.ts";
import { type KernelPath, siblingAddresses, wwidOf } from "../../snoop/kernel/paths.ts";
import type { PolledDevice } from "../../snoop/poll.ts";
import type { WatchTarget } from "../../snoop/watch.ts";
import { type OpenChoices, openDevice, refuseNonsense } from "../open.ts";

/** How looks at a LUN are made. */
export interface LookChoices {
  readonly trace: OpenChoices["trace"];
  /** Milliseconds a command may take. */
  readonly timeoutMs: number;
}

interface Named {
  readonly address: string;
  /** What makes two addresses one LUN. */
  readonly identity: string;
  readonly lun: string | null;
  readonly paths: readonly KernelPath[];
}

/** One target a LUN, in the order in which they were named. Throws PrmigError `usage` for what is no address. */
export function findTargets(addresses: readonly string[], look: LookChoices): WatchTarget[] {
  const byIdentity = new Map<string, Named[]>();
  for (const address of new Set(addresses)) {
    const named = address.startsWith("sim:") ? simulated(address) : onThisHost(address);
    byIdentity.set(named.identity, [...byIdentity.get(named.identity) ?? [], named]);
  }
  return [...byIdentity.values()].map((same) => {
    const named = same.map(({ address }) => address);
    return {
      device: named[0]!,
      lun: same[0]!.lun,
      paths: withSiblings(same.flatMap(({ paths }) => paths)),
      open: (attention) => openForLooking(named, look, attention),
    };
  });
}

function simulated(address: string): Named {
  return { address, identity: `sim:${parseSimAddress(address).file}`, lun: null, paths: [] };
}

/** A device that is not there (yet) is a target all the same: it may come, and until then the watch says what is wrong. */
function onThisHost(address: string): Named {
  refuseNonsense(address);
  let nodes: readonly NodeInfo[];
  try {
    nodes = resolveAddress(address).paths;
  } catch (error) {
    if (!(error instanceof PrmigError)) throw error;
    return { address, identity: address, lun: null, paths: [] };
  }
  const hctl = nodes[0]!.hctl;
  const lun = hctl === null ? null : wwidOf(hctl);
  const single = nodes.length === 1;
  return {
    address,
    identity: lun ?? hctl ?? address,
    lun,
    paths: nodes.flatMap((node) => node.hctl === null ? [] : [pathOf(node, node.hctl, single ? address : null)]),
  };
}

function pathOf(node: NodeInfo, hctl: string, address: string | null): KernelPath {
  return {
    hctl,
    device: address ?? node.block ?? node.sg ?? node.address,
    lun: wwidOf(hctl),
    block: node.block,
    sg: node.sg,
    devno: `${node.major}:${node.minor}`,
  };
}

/** Other paths of this host to the same LUN: what is sent there changes it just the same. */
function withSiblings(paths: readonly KernelPath[]): KernelPath[] {
  const all = new Map<string, KernelPath>();
  for (const path of paths) if (!all.has(path.hctl)) all.set(path.hctl, path);
  for (const { hctl } of paths) {
    for (const sibling of siblingAddresses(hctl)) {
      if (all.has(sibling)) continue;
      const node = describeHctl(sibling);
      if (node) all.set(sibling, pathOf(node, sibling, null));
    }
  }
  return [...all.values()];
}

async function openForLooking(
  addresses: readonly string[],
  { trace, timeoutMs }: LookChoices,
  attention: (outcome: Outcome) => void,
): Promise<PolledDevice> {
  const paths: Nexus[] = [];
  const found: string[] = [];
  const closers: (() => void)[] = [];
  const close = (): void => closers.forEach((closeOne) => closeOne());
  let failure: PrmigError | undefined;
  for (const address of addresses) {
    try {
      const device = await openDevice(address, {
        writable: false,
        trace,
        timeoutMs,
        onRetry: ({ outcome }) => {
          if (outcome.kind === "unitAttention") attention(outcome);
        },
      });
      paths.push(...device.paths);
      if (device.node?.hctl && device.multipath === null) found.push(device.node.hctl);
      closers.push(device.close);
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      failure = error;
    }
  }
  if (paths.length === 0) throw failure!;
  try {
    const { designator, isOwn } = await whoIsWho(paths);
    return { paths, designator, addresses: found, isOwn, close };
  } catch (error) {
    close();
    throw error;
  }
}

type Ownership = (registration: Registration) => boolean | null;

/** Throws PrmigError when no path answers. */
async function whoIsWho(paths: readonly Nexus[]): Promise<{ designator: string | null; isOwn: Ownership }> {
  const verdicts: Ownership[] = [];
  let designator: string | null | undefined;
  let failure: PrmigError | undefined;
  for (const nexus of paths) {
    let port: number | null = null;
    try {
      const identity = await readIdentity(nexus, { retry: false });
      designator ??= identity.designator;
      port = identity.relativeTargetPort;
    } catch (error) {
      if (!(error instanceof PrmigError)) throw error;
      failure = error;
    }
    verdicts.push((registration) => isOwn(registration, nexus.initiator, port));
  }
  if (designator === undefined && failure) throw failure;
  return {
    designator: designator ?? null,
    isOwn: (registration) => {
      const said = verdicts.map((verdict) => verdict(registration));
      return said.includes(true) ? true : said.includes(null) ? null : false;
    },
  };
}

/**
 * A made-up host for discovery tests: a sysfs tree in a temporary directory, and the device nodes that go with it.
 * Laid out as the kernel does it: real directories under devices/, links everywhere else.
 *
 * @module
 */
import { dirname } from "node:path";
import type { FileKind, Host } from "../../lib/sg/host.ts";

/** One SCSI device. */
export interface FakeScsi {
  readonly hctl: string;
  /** Below devices/; the H:C:T:L directory is added. Default: a virtual adapter. */
  readonly parent?: string;
  readonly sg?: string;
  readonly block?: string;
  /** Minor number of the block node; its major is 8. */
  readonly blockMinor?: number;
  readonly type?: number;
  readonly state?: string;
}

/** A device-mapper volume. */
export interface FakeVolume {
  readonly name: string;
  readonly uuid: string;
  /** Minor number; the major is 253 and the kernel's name dm-MINOR. */
  readonly minor: number;
  readonly slaves: readonly string[];
}

/** The tree and the nodes; removed on disposal. */
export class FakeSysfs implements Host, Disposable {
  readonly sys: string = Deno.makeTempDirSync({ prefix: "prmig-sysfs-" });
  readonly #nodes = new Map<string, FileKind | string>();

  stat(path: string): FileKind {
    const found = this.#nodes.get(path);
    if (found === undefined || typeof found === "string") {
      throw Object.assign(new Error(`stat ${path}`), { code: found ?? "ENOENT" });
    }
    return found;
  }

  /** Makes a path exist as something that is no SCSI node, or makes stat fail with a code. */
  node(path: string, what: FileKind["kind"] | { code: string }, major = 0, minor = 0): this {
    this.#nodes.set(path, typeof what === "string" ? { kind: what, major, minor } : what.code);
    return this;
  }

  /** A path that leads to a node made before, as /dev/disk/by-id does. */
  link(path: string, target: string): this {
    return this.node(path, this.stat(target).kind, this.stat(target).major, this.stat(target).minor);
  }

  file(path: string, text: string): this {
    Deno.mkdirSync(`${this.sys}/${dirname(path)}`, { recursive: true });
    Deno.writeTextFileSync(`${this.sys}/${path}`, text + "\n");
    return this;
  }

  symlink(path: string, target: string): this {
    Deno.mkdirSync(`${this.sys}/${dirname(path)}`, { recursive: true });
    Deno.symlinkSync(`${this.sys}/${target}`, `${this.sys}/${path}`);
    return this;
  }

  scsi(device: FakeScsi): this {
    const { hctl, parent = `platform/host${hctl.split(":")[0]}/target`, sg, block, blockMinor = 0 } = device;
    const directory = `devices/${parent}/${hctl}`;
    this.file(`${directory}/type`, String(device.type ?? 0)).file(`${directory}/state`, device.state ?? "running");
    this.symlink(`class/scsi_device/${hctl}/device`, directory);
    if (sg !== undefined) {
      const minor = Number(sg.slice(2));
      this.file(`${directory}/scsi_generic/${sg}/dev`, `21:${minor}`);
      this.symlink(`${directory}/scsi_generic/${sg}/device`, directory);
      this.symlink(`dev/char/21:${minor}`, `${directory}/scsi_generic/${sg}`);
      this.node(`/dev/${sg}`, "char", 21, minor);
    }
    if (block !== undefined) {
      this.symlink(`${directory}/block/${block}/device`, directory);
      this.#block(block, `${directory}/block/${block}`, 8, blockMinor);
    }
    return this;
  }

  /** A partition of a disk made before. */
  partition(disk: string, name: string, minor: number): this {
    const directory = Deno.realPathSync(`${this.sys}/class/block/${disk}`).slice(this.sys.length + 1);
    this.file(`${directory}/${name}/partition`, "1");
    return this.#block(name, `${directory}/${name}`, 8, minor);
  }

  volume({ name, uuid, minor, slaves }: FakeVolume): this {
    const directory = `devices/virtual/block/dm-${minor}`;
    this.file(`${directory}/dm/name`, name).file(`${directory}/dm/uuid`, uuid);
    this.#block(`dm-${minor}`, directory, 253, minor).link(`/dev/mapper/${name}`, `/dev/dm-${minor}`);
    Deno.mkdirSync(`${this.sys}/${directory}/slaves`);
    for (const slave of slaves) {
      const below = Deno.realPathSync(`${this.sys}/class/block/${slave}`).slice(this.sys.length + 1);
      this.symlink(`${directory}/slaves/${slave}`, below).symlink(`${below}/holders/dm-${minor}`, directory);
    }
    return this;
  }

  /** A block device that is neither SCSI nor mapped. */
  otherBlock(name: string, major: number, minor: number): this {
    return this.#block(name, `devices/virtual/block/${name}`, major, minor);
  }

  #block(name: string, directory: string, major: number, minor: number): this {
    return this.file(`${directory}/dev`, `${major}:${minor}`)
      .symlink(`class/block/${name}`, directory)
      .symlink(`dev/block/${major}:${minor}`, directory)
      .node(`/dev/${name}`, "block", major, minor);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.sys, { recursive: true });
  }
}

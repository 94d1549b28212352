/**
 * A QEMU's monitor that may break while it is needed: whoever wants it gets a connection that works, or learns that
 * there is none.
 *
 * @module
 */
import { QmpError } from "../../qmp/error.ts";
import type { Qemu } from "../../qmp/qemu.ts";

/** Makes a new connection, greeted and negotiated. Rejects with QmpError. */
export type Connect = () => Promise<Qemu>;

/** One QEMU, reached anew when the connection was lost. */
export class Monitor {
  #qemu: Qemu;

  private constructor(private readonly connect: Connect, qemu: Qemu) {
    this.#qemu = qemu;
  }

  static async open(connect: Connect): Promise<Monitor> {
    return new Monitor(connect, await connect());
  }

  /** The connection as it is. */
  get qemu(): Qemu {
    return this.#qemu;
  }

  /** The connection, made anew if it is over. Rejects with QmpError when that fails. */
  async revived(): Promise<Qemu> {
    if (this.#qemu.client.failure === null) return this.#qemu;
    await this.#qemu.client.close();
    this.#qemu = await this.connect();
    return this.#qemu;
  }

  /** Does something, once more over a new connection where the old one was over before it was told. */
  async ask<T>(work: (qemu: Qemu) => Promise<T>): Promise<T> {
    try {
      return await work(await this.revived());
    } catch (error) {
      if (!(error instanceof QmpError) || error.facts.mayBeDone || this.#qemu.client.failure === null) throw error;
      return await work(await this.revived());
    }
  }

  close(): Promise<void> {
    return this.#qemu.client.close();
  }
}

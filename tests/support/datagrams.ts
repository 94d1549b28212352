/**
 * A Unix datagram socket that keeps what it is told: the service manager's part in sd_notify.
 *
 * @module
 */
import { closeFd } from "../../lib/sys/fd.ts";
import { Receiver } from "../../lib/sys/message.ts";
import { demand } from "../../lib/sys/socket_symbols.ts";

/** Listens at a path until disposed. */
export class Datagrams implements Disposable {
  readonly #fd: number;
  readonly #receiver = new Receiver(4096);
  readonly #told: string[] = [];

  constructor(path: string) {
    const address = new Uint8Array(110);
    address.set([1, 0, ...new TextEncoder().encode(path)]);
    this.#fd = demand("socket", path, (c) => c.socket(1, 2 | 0o4000 | 0o2000000, 0));
    demand("bind", path, (c) => c.bind(this.#fd, address, address.length));
  }

  /** Everything told so far. */
  told(): string[] {
    for (;;) {
      const got = this.#receiver.receive(this.#fd, 4096, false);
      if (got.kind !== "data") return this.#told;
      this.#told.push(new TextDecoder().decode(got.bytes));
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }
}

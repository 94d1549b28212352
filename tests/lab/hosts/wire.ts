/**
 * TCP streams put together again from Ethernet frames, as far as the lab's network needs it: what is repeated is passed
 * over, and a stream begins with the first frame seen of it, and anew after a gap. Pure.
 *
 *     Ethernet 14 | IPv4 20+ | TCP 20+ | payload
 *
 * @module
 */

const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const TCP = 6;
const SYN = 0x02;

/** Bytes of one direction of one connection, from where the reader has come to. */
export interface Stream {
  /** `address:port>address:port` */
  readonly name: string;
  /** The same of the other direction. */
  readonly back: string;
  /** 10.0.0.2 */
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Not yet taken; whoever reads leaves what he does not need yet. */
  pending: Uint8Array;
}

/** All connections on a network. */
export class Wire {
  readonly #streams = new Map<string, { stream: Stream; next: number }>();

  /** The stream that the frame adds to; `null` for a frame that adds to none. */
  add(frame: Uint8Array): Stream | null {
    if (frame.length < ETHERNET_BYTES + 40) return null;
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    if (view.getUint16(12) !== IPV4 || view.getUint8(ETHERNET_BYTES + 9) !== TCP) return null;
    const tcp = ETHERNET_BYTES + (view.getUint8(ETHERNET_BYTES) & 0x0f) * 4;
    const [sourcePort, destinationPort] = [view.getUint16(tcp), view.getUint16(tcp + 2)];
    const address = (at: number): string => frame.subarray(ETHERNET_BYTES + at, ETHERNET_BYTES + at + 4).join(".");
    const sourceAddress = address(12);
    const [from, to] = [`${sourceAddress}:${sourcePort}`, `${address(16)}:${destinationPort}`];
    const [name, back] = [`${from}>${to}`, `${to}>${from}`];
    const sequence = view.getUint32(tcp + 4);
    const fresh = { stream: { name, back, sourceAddress, sourcePort, destinationPort, pending: new Uint8Array() } };
    if ((view.getUint8(tcp + 13) & SYN) !== 0) {
      this.#streams.set(name, { ...fresh, next: sequence + 1 >>> 0 });
      return null;
    }
    const start = tcp + (view.getUint8(tcp + 12) >> 4) * 4;
    const payload = frame.subarray(start, ETHERNET_BYTES + view.getUint16(ETHERNET_BYTES + 2));
    if (payload.length === 0) return null;
    const known = this.#streams.get(name) ?? { ...fresh, next: sequence };
    this.#streams.set(name, known);
    const { stream } = known;
    const repeated = known.next - sequence | 0;
    if (repeated >= payload.length) return null;
    if (repeated < 0) stream.pending = new Uint8Array();
    stream.pending = joined(stream.pending, payload.subarray(Math.max(0, repeated)));
    known.next = sequence + payload.length >>> 0;
    return stream;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

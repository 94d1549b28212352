/**
 * Who a logical unit is: its designators as text, the best of them, and the target port we talk to. Pure.
 * Source: SPC-4, "Device Identification VPD page" and "NAA designator format".
 *
 * @module
 */
import { BeReader, type Bytes, toHex } from "../bytes.ts";
import { printable, type StandardInquiry } from "./inquiry.ts";
import { ASSOCIATION, type Designator } from "./vpd.ts";

/** A logical unit, told from every other. */
export interface LunIdentity {
  /** The best name: `naa.6001405...`, `eui....`, `uuid....`, `name....`, `t10....`; null when the device gives none. */
  readonly designator: string | null;
  /** Every name the logical unit gives itself, best first. */
  readonly designators: readonly string[];
  /** VENDOR IDENTIFICATION of INQUIRY, printable ASCII; empty when it was not delivered. */
  readonly vendor: string;
  /** PRODUCT IDENTIFICATION, likewise. */
  readonly product: string;
  /** PRODUCT REVISION LEVEL, likewise. */
  readonly revision: string;
  /** Unit serial number; null when there is none. */
  readonly serial: string | null;
  /** Peripheral device type: 00h for disks. */
  readonly deviceType: number;
  /** Target port our commands arrive at; null when the device does not tell. */
  readonly relativeTargetPort: number | null;
}

/** Puts together what INQUIRY and the pages 80h and 83h told. */
export function identify(
  inquiry: StandardInquiry,
  designators: readonly Designator[],
  serial: string | null,
): LunIdentity {
  const names = lunDesignators(designators);
  const { vendor, product, revision, deviceType } = inquiry;
  return {
    designator: names[0] ?? null,
    designators: names,
    vendor,
    product,
    revision,
    serial,
    deviceType,
    relativeTargetPort: relativeTargetPort(designators),
  };
}

/**
 * The names of the logical unit itself, best first, none twice: NAA type 6, the other NAAs, EUI-64 (longest first),
 * UUID, SCSI name string, T10 vendor ID. Left out: vendor-specific ones (unique nowhere), groups, and all-zero ones.
 */
export function lunDesignators(designators: readonly Designator[]): string[] {
  const ranked = designators
    .filter((each) => each.association === ASSOCIATION.logicalUnit)
    .map(formatDesignator)
    .filter((each) => each !== null)
    .sort((a, b) => a.rank - b.rank);
  return [...new Set(ranked.map((each) => each.text))];
}

/** Relative port identifier of the target port that answered (association 1, type 4); null when it is not told. */
export function relativeTargetPort(designators: readonly Designator[]): number | null {
  const found = designators.find(({ association, type, bytes }) =>
    association === ASSOCIATION.targetPort && type === 4 && bytes.length === 4
  );
  return (found && new BeReader(found.bytes).u16(2, "RELATIVE TARGET PORT IDENTIFIER")) || null;
}

interface Ranked {
  readonly text: string;
  /** Smaller is better. */
  readonly rank: number;
}

function formatDesignator({ type, codeSet, bytes }: Designator): Ranked | null {
  if (bytes.every((byte) => byte === 0)) return null;
  switch (type) {
    case 0x1:
      return t10(bytes);
    case 0x2:
      return [16, 12, 8].includes(bytes.length) ? { text: `eui.${toHex(bytes)}`, rank: 46 - bytes.length } : null;
    case 0x3:
      return naa(bytes);
    case 0x8:
      return codeSet === 3 ? nameString(bytes) : null;
    case 0xa: // two bytes before the UUID itself
      return bytes.length === 18 ? { text: `uuid.${toHex(bytes.subarray(2))}`, rank: 40 } : null;
    default:
      return null;
  }
}

/** Length and rank by NAA: 6 registered extended, 5 registered, 2 extended, 3 locally assigned. */
const NAA: Readonly<Record<number, readonly [length: number, rank: number]>> = {
  6: [16, 10],
  5: [8, 20],
  2: [8, 21],
  3: [8, 22],
};

function naa(bytes: Bytes): Ranked | null {
  const [length, rank] = NAA[bytes[0]! >> 4] ?? [0, 0];
  return bytes.length === length ? { text: `naa.${toHex(bytes)}`, rank } : null;
}

function t10(bytes: Bytes): Ranked | null {
  if (bytes.length < 8) return null;
  const text = withoutPadding(bytes);
  const plain = text.every((byte) => byte >= 0x20 && byte < 0x7f);
  return { text: plain ? `t10.${printable(text)}` : `t10.0x${toHex(text)}`, rank: 60 };
}

function nameString(bytes: Bytes): Ranked | null {
  const text = new TextDecoder().decode(withoutPadding(bytes));
  // Control and formatting characters would be obeyed by a terminal, and no name has any; U+FFFD: it was no UTF-8.
  return text === "" || /[\p{C}\p{Z}\ufffd]/u.test(text) ? null : { text: `name.${text}`, rank: 50 };
}

/** Without the NULs and spaces that fill a field up. */
function withoutPadding(bytes: Bytes): Bytes {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0 || bytes[end - 1] === 0x20)) end--;
  return bytes.slice(0, end);
}

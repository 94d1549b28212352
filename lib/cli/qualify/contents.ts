/**
 * What the first blocks of a LUN say it holds: partition tables, file systems, volumes, by their magic numbers. Pure.
 *
 * @module
 */

/** Bytes to look at; the magic of btrfs is the farthest. */
export const LOOKED_AT_BYTES = 68 * 1024;

/** Operation code of the command that reads them. */
export const READ_10 = 0x28;

type Row = readonly [what: string, offset: number, magic: string];

/** `offset` in bytes; with a minus sign in blocks. */
const MAGICS: readonly Row[] = [
  ["a GPT partition table", -1, "EFI PART"],
  ["a physical volume of LVM", 512, "LABELONE"],
  ["an encrypted volume (LUKS)", 0, "LUKS\xba\xbe"],
  ["a file system (xfs)", 0, "XFSB"],
  ["a file system (ext)", 1080, "\x53\xef"],
  ["a file system (btrfs)", 0x10040, "_BHRfS_M"],
  ["a file system (ntfs)", 3, "NTFS    "],
  ["a file system (gfs2)", 0x10000, "\x01\x16\x19\x70"],
  ["a member of a RAID (md)", 4096, "\xfc\x4e\x2b\xa9"],
  ["a member of a RAID (md)", 0, "\xfc\x4e\x2b\xa9"],
  ["swap space", 4086, "SWAPSPACE2"],
  ["a file system (ocfs2)", 2 * 512, "OCFSV2"],
  ["an MBR partition table or boot sector", 510, "\x55\xaa"],
];

/** What is there, in words; `null` when nothing is recognised. */
export function contentsOf(bytes: Uint8Array, blockBytes: number): string | null {
  const found = MAGICS.find(([, offset, magic]) => isAt(bytes, offset < 0 ? -offset * blockBytes : offset, magic));
  return found?.[0] ?? null;
}

function isAt(bytes: Uint8Array, offset: number, magic: string): boolean {
  return [...magic].every((character, i) => bytes[offset + i] === character.charCodeAt(0));
}

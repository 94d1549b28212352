/**
 * Names of users and groups, as the host resolves them (files, LDAP, whatever nsswitch.conf says).
 *
 * @module
 */
import { cString, libc } from "./libc.ts";

const SYMBOLS = {
  getpwnam: { parameters: ["buffer"], result: "pointer" },
  getgrnam: { parameters: ["buffer"], result: "pointer" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
} as const;

let loaded: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function calls(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  libc();
  return loaded ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

/** Ids of a user. */
export interface UserIds {
  readonly uid: number;
  /** Its primary group; `null` for a number that names no user. */
  readonly gid: number | null;
}

/** Two pointers precede the ids in both records: name and password. */
const IDS = 16;
const LARGEST_ID = 0xffff_fffe; // one more means "leave it" in setresuid

/** A user by name or number; `null` when there is none of that name. */
export function userIds(text: string): UserIds | null {
  const number = idOf(text);
  const record = number === null ? calls().getpwnam(cString(text)) : calls().getpwuid(number);
  if (record === null) return number === null ? null : { uid: number, gid: null };
  const view = new Deno.UnsafePointerView(record);
  return { uid: view.getUint32(IDS), gid: view.getUint32(IDS + 4) };
}

/** A group by name or number; `null` when there is none of that name. */
export function groupId(text: string): number | null {
  const number = idOf(text);
  if (number !== null) return number;
  const record = calls().getgrnam(cString(text));
  return record === null ? null : new Deno.UnsafePointerView(record).getUint32(IDS);
}

function idOf(text: string): number | null {
  if (!/^\d{1,10}$/.test(text)) return null;
  const number = Number(text);
  return number <= LARGEST_ID ? number : null;
}

/**
 * SCSI around reservations: status and sense as values, what became of a command, who a logical unit is.
 *
 * Pure: no permission, no package, no Deno API.
 *
 * @module
 */
export * from "../bytes.ts";
export * from "./asc.ts";
export * from "./identity.ts";
export * from "./inquiry.ts";
export * from "./opcodes.ts";
export * from "./outcome.ts";
export * from "./sense.ts";
export * from "./status.ts";
export * from "./vpd.ts";

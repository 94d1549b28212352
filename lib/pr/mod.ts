/**
 * Persistent reservations as data, and how to read them from a LUN: codecs, types, one joint ({@link Nexus}).
 *
 * Pure: no permission, no package, no Deno API.
 *
 * @example Who holds this LUN?
 * ```ts
 * import { formatKey, patient, readState } from "@prmig/prmig";
 *
 * const { reservation } = await readState(patient(nexus));
 * const holder = reservation === null ? "nobody" : formatKey(reservation.key);
 * ```
 *
 * @module
 */
export * from "../bytes.ts";
export * from "../errors.ts";
export * from "./access.ts";
export * from "./capabilities.ts";
export * from "./cdb.ts";
export * from "./commands.ts";
export * from "./describe.ts";
export * from "./diff.ts";
export * from "./full_status.ts";
export * from "./malformed.ts";
export * from "./nexus.ts";
export * from "./own.ts";
export * from "./patient.ts";
export * from "./pr_out.ts";
export * from "./read_identity.ts";
export * from "./read_keys.ts";
export * from "./read_only.ts";
export * from "./read_reservation.ts";
export * from "./read_state.ts";
export * from "./scope_type.ts";
export * from "./transport_id.ts";
export * from "./types.ts";

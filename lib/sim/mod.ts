/**
 * Simulated LUNs that answer as the standard says: in memory for tests, in a file for several processes.
 *
 * {@link MemoryLun} needs no permission; {@link openSimNexus} reads and writes the file that its address names.
 *
 * @module
 */
export type { Attention, LunModel, SimDevice, SimIdentity, SimRegistration, SimReservation } from "../pr/sim/model.ts";
export type { NexusId } from "../pr/sim/nexus_id.ts";
export { PROFILES } from "../pr/sim/profile.ts";
export type { Profile, PrOutCheck } from "../pr/sim/profile_type.ts";
export type { SenseCode } from "../pr/sim/sense_code.ts";
export type { SimOptions } from "./device.ts";
export * from "./memory_lun.ts";
export { createSimLun, openSimNexus } from "./open.ts";

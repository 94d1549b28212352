/** Scenarios C01 to C05: what PERSISTENT RESERVE IN answers. @module */
import { K1, type Scenario, scenario } from "./scenario.ts";
import { prIn, register } from "./steps.ts";

const RESERVED_ACTIONS = Array.from({ length: 0x1c }, (_, i) => i + 4);

/** Scenarios about PERSISTENT RESERVE IN. */
export const READ_SCENARIOS: readonly Scenario[] = [
  scenario("C01", "nobody registered: READ KEYS shows no key", [
    prIn("A", "readKeys", 8192, "good", "........ 00000000"),
  ]),
  scenario("C02", "no reservation: READ RESERVATION is its header", [
    prIn("A", "readReservation", 8192, "good", "........ 00000000"),
  ]),
  scenario("C03", "service actions of PERSISTENT RESERVE IN: four exist, the others are refused", [
    prIn("A", "readKeys", 8192),
    prIn("A", "readReservation", 8192),
    prIn("A", "reportCapabilities", 8192),
    prIn("A", "readFullStatus", 8192),
    RESERVED_ACTIONS.map((action) => prIn("A", action, 8192, "05/24/00")),
  ], { needs: ["readFullStatus"] }),
  scenario("C04", "REPORT CAPABILITIES is 8 bytes that say so", [
    prIn("A", "reportCapabilities", 8192, "good", "0008 .... .... 0000"),
  ]),
  scenario("C05", "READ KEYS with room for the header only: the length is that of all keys", [
    register("A", 0n, K1),
    prIn("A", "readKeys", 8, "good", "........ 00000008"),
  ]),
];

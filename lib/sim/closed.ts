/**
 * Using a simulated nexus after close().
 *
 * @module
 */
import { PrmigError } from "../errors.ts";

/** What a nexus that was closed says to a command. */
export function closedError(address: string): PrmigError {
  return new PrmigError("device", {
    message: `Cannot send a command to ${address}: it was closed`,
    device: address,
    lun: "Nothing was sent.",
    remedy: "open the device again",
  });
}

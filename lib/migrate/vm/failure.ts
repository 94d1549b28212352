/**
 * The report of a guest's migration that did not happen: why, what is true of the LUNs and of the guest, what to do.
 *
 * @module
 */
import { PrmigError } from "../../errors.ts";
import { QmpError } from "../../qmp/error.ts";
import { TurnBack } from "../reasons.ts";
import type { GuestState } from "./guest_back.ts";
import type { Whereabouts } from "./lun_move.ts";

/** An ending that must not be undone, since nobody knows which side the guest is on. */
export function unknownGuest(message: string, lun: string, remedy: string, cause?: unknown): PrmigError {
  return new PrmigError("unsure", { message, lun, remedy }, { cause });
}

/** Whatever went wrong as a reason to turn back. Anything but a failure of the world is a defect, and thrown on. */
export function asReason(error: unknown): TurnBack {
  if (error instanceof TurnBack) return error;
  if (error instanceof PrmigError || error instanceof QmpError) {
    return new TurnBack("failed", error.message, { cause: error });
  }
  throw error;
}

/** What went wrong after the guest was at the destination, or may have been. */
export function movedBut(error: unknown, taken: boolean): PrmigError {
  if (error instanceof PrmigError && error.kind === "unsure") return error;
  const reason = asReason(error);
  return new PrmigError(reason.why === "fenced" ? "refused" : "unsure", {
    message: `The guest has moved, but ${reason.message}`,
    lun: taken ? "the destination holds" : "not taken by the destination",
    remedy: "look who holds (prmig dump), then prmig recover on both hosts",
  }, { cause: error });
}

/**
 * The report once everything has been undone as far as it could be. `lun` is that of the hand-over, if there was one, and
 * `where` what the LUNs say of themselves.
 */
export function notMigrated(
  reason: TurnBack,
  lun: PrmigError | null,
  where: Whereabouts,
  guest: GuestState,
): PrmigError {
  const worst = where === "elsewhere" || lun?.kind === "unsure"
    ? "unsure"
    : where === "fenced"
    ? "refused"
    : !guest.asBefore
    ? "unsure"
    : lun?.kind === "refused"
    ? "refused"
    : reason.kind;
  const truth = lun?.facts.lun ?? "no reservation was moved";
  const remedy = where !== "back"
    ? lun?.facts.remedy ?? "prmig recover"
    : !guest.asBefore
    ? guest.remedy ?? "prmig recover"
    : worst === "unsure" || lun?.kind === "refused"
    ? lun!.facts.remedy
    : remedyFor(reason);
  const { device, command, status } = lun?.facts ?? {};
  return new PrmigError(worst, {
    message: `Cannot migrate the guest: ${reason.message}`,
    ...device && { device },
    ...command && { command },
    ...status && { status },
    lun: `${truth}; the guest ${guest.words}`,
    remedy,
  }, { cause: reason });
}

function remedyFor({ why, cause }: TurnBack): string {
  if (why === "interrupted") return "start the migration again when you are ready";
  if (cause instanceof PrmigError) return cause.facts.remedy;
  return "see what the destination's QEMU and prmig recv say, start a new destination QEMU, then try again";
}

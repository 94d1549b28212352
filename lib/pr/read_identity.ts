/**
 * Reads who a logical unit is over any Nexus, in at most four commands, none of which a reservation stops.
 *
 *   INQUIRY -> VPD 00h (which pages) -> VPD 83h (designators), VPD 80h (serial), where listed
 *
 * A page that a device lists and does not give, or gives wrongly, counts as absent: an identity with less in it.
 *
 * @module
 */
import { type Bytes, ShortBuffer } from "../bytes.ts";
import { PrmigError } from "../errors.ts";
import { identify, type LunIdentity } from "../scsi/identity.ts";
import { decodeStandardInquiry, inquiryCdb, STANDARD_INQUIRY_BYTES } from "../scsi/inquiry.ts";
import { classify, describeOutcome } from "../scsi/outcome.ts";
import { decodeVpd00, decodeVpd80, decodeVpd83, VPD, WrongPage } from "../scsi/vpd.ts";
import type { CommandOptions, Nexus } from "./nexus.ts";
import { patient } from "./patient.ts";

/** How to read. */
export interface ReadIdentityOptions extends CommandOptions {
  /** Wait out BUSY and unit attentions (see {@link patient}). Default true; a patient nexus needs it no more. */
  readonly retry?: boolean;
}

/** Peripheral qualifier 3: there is no logical unit here, and so no pages. */
const NOTHING_HERE = 3;
/** Devices from before SPC-3 take the allocation length of a page as one byte. */
const SMALL_PAGE_BYTES = 252;
const DESIGNATORS_BYTES = 1024;

/**
 * Reads the identity. The device type is the caller's to judge: 1Fh with no name means that nothing is there.
 *
 * Errors: PrmigError `device` when INQUIRY fails or makes no sense, or a page's reading ends in an unknown outcome;
 * `failed` when the device stayed busy. Rejections of the nexus pass through.
 */
export async function readIdentity(nexus: Nexus, options: ReadIdentityOptions = {}): Promise<LunIdentity> {
  const { retry = true, ...limits } = options;
  const through = retry ? patient(nexus) : nexus;
  const standard = await ask(through, STANDARD_INQUIRY_BYTES, undefined, limits);
  const inquiry = standard && decoded(standard, decodeStandardInquiry);
  if (!inquiry) throw unusable(nexus.address, "INQUIRY", "there is no usable answer", "device");
  if (inquiry.qualifier === NOTHING_HERE) return identify(inquiry, [], null);
  const page = async <T>(code: number, bytes: number, decode: (bytes: Bytes) => T): Promise<T | null> => {
    const answer = await ask(through, bytes, code, limits);
    return answer && decoded(answer, decode);
  };
  const pages = await page(VPD.supportedPages, SMALL_PAGE_BYTES, decodeVpd00) ?? [];
  const designators = pages.includes(VPD.deviceIdentification)
    ? await page(VPD.deviceIdentification, DESIGNATORS_BYTES, decodeVpd83)
    : null;
  const serial = pages.includes(VPD.unitSerialNumber)
    ? await page(VPD.unitSerialNumber, SMALL_PAGE_BYTES, decodeVpd80)
    : null;
  return identify(inquiry, designators ?? [], serial);
}

/** The data of one INQUIRY; null when the device refuses it for good. */
async function ask(
  nexus: Nexus,
  bytes: number,
  page: number | undefined,
  limits: CommandOptions,
): Promise<Bytes | null> {
  const reply = await nexus.execute(inquiryCdb(bytes, page), bytes, limits);
  const outcome = classify(reply);
  if (outcome.kind === "good") return reply.dataIn;
  if (outcome.kind === "refused") return null;
  const command = page === undefined ? "INQUIRY" : `INQUIRY, VPD page ${page.toString(16).padStart(2, "0")}h`;
  const passing = outcome.kind === "busy" || outcome.kind === "unitAttention";
  throw unusable(
    nexus.address,
    command,
    `${command} ended in ${describeOutcome(outcome)}`,
    passing ? "failed" : "device",
  );
}

function decoded<T>(bytes: Bytes, decode: (bytes: Bytes) => T): T | null {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof ShortBuffer || error instanceof WrongPage) return null;
    throw error;
  }
}

function unusable(address: string, command: string, status: string, kind: "device" | "failed"): PrmigError {
  const remedy = kind === "failed"
    ? "run the command again when the device is ready"
    : `check the path to ${address} (journalctl -k), then run the command again`;
  return new PrmigError(kind, {
    message: `Cannot identify ${address}: ${status}`,
    device: address,
    command,
    status,
    lun: "unchanged: only reads were sent",
    remedy,
  });
}

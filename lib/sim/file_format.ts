/**
 * The file of a simulated LUN: versioned JSON, readable by eye, checked in every field before it is believed. Pure.
 *
 *   {"format":"prmig-sim-lun","version":1,"device":{...},"generation":3,"ptplActive":false,
 *    "registrations":[{"nexus":"a","key":"0x0000000000123abc","allTargetPorts":false}],
 *    "reservation":{"type":5,"holder":"a"},"spc2Holder":null,"informationLost":false,
 *    "attentions":{"b":["2a05"]},"medium":{"0":"686921"}}
 *
 * @module
 */
import * as v from "valibot";
import { ALL_REGISTRANTS, isAllRegistrants, type LunModel, registrationOf } from "../pr/sim/model.ts";
import { PROFILES } from "../pr/sim/profile.ts";
import { formatKey } from "../pr/types.ts";

/** First words of every such file: how we know one of ours, however broken it is. */
export const SIM_FORMAT = "prmig-sim-lun";
const VERSION = 1;

/** The bytes are no simulated LUN. `ours`: they begin as one of ours does, so they are one that was spoiled. */
export class NotASimLun extends Error {
  /** For logs. */
  override readonly name = "NotASimLun";
  /** Whether the text begins as ours do, and what is wrong with it. */
  constructor(readonly ours: boolean, reason: string) {
    super(reason);
  }
}

const nexus = v.pipe(v.string(), v.regex(/^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?(?:#\d{1,5})?(?:!\d{1,5})?$/));
const u16 = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff));
const key = v.pipe(v.string(), v.regex(/^0x[0-9a-f]{16}$/), v.transform((text) => BigInt(text)), v.minValue(1n));
const ascii = (length: number): v.GenericSchema<string> =>
  v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/), v.maxLength(length));
const prType = v.picklist([1, 3, 5, 6, 7, 8]);
const attention = v.pipe(v.string(), v.regex(/^[0-9a-f]{4}$/), v.transform((text) => parseInt(text, 16)));
const block = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2}){1,512}$/));

const schema = v.strictObject({
  format: v.literal(SIM_FORMAT),
  version: v.literal(VERSION),
  device: v.strictObject({
    identity: v.strictObject({
      vendor: ascii(8),
      product: ascii(16),
      revision: ascii(4),
      serial: ascii(64),
      naa: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/)),
    }),
    ports: v.pipe(v.array(u16), v.minLength(1), v.maxLength(64)),
    blocks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
    maxRegistrations: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096)),
    profile: v.picklist(Object.keys(PROFILES)),
  }),
  generation: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
  ptplActive: v.boolean(),
  registrations: v.array(v.strictObject({ nexus, key, allTargetPorts: v.boolean() })),
  reservation: v.nullable(v.strictObject({ type: prType, holder: v.union([nexus, v.literal(ALL_REGISTRANTS)]) })),
  spc2Holder: v.nullable(nexus),
  informationLost: v.boolean(),
  attentions: v.record(nexus, v.pipe(v.array(attention), v.minLength(1))),
  medium: v.record(v.pipe(v.string(), v.regex(/^(?:0|[1-9]\d{0,4})$/)), block),
});

/** The text of a simulated LUN. */
export function encodeSimLun(model: LunModel): string {
  const { device: { profile, ...device }, registrations, attentions } = model;
  const file = {
    format: SIM_FORMAT,
    version: VERSION,
    device: { ...device, profile: profile.name },
    generation: model.generation,
    ptplActive: model.ptplActive,
    registrations: registrations.map(({ nexus, key, allTgPt }) => ({
      nexus,
      key: formatKey(key),
      allTargetPorts: allTgPt,
    })),
    reservation: model.reservation,
    spc2Holder: model.spc2Holder,
    informationLost: model.informationLost,
    attentions: Object.fromEntries(
      Object.entries(attentions).map(([name, codes]) => [name, codes.map((c) => c.toString(16).padStart(4, "0"))]),
    ),
    medium: model.medium,
  };
  return JSON.stringify(file, null, 1) + "\n";
}

/** The LUN of a text. Throws {@link NotASimLun}, and nothing else, for anything but a sound one. */
export function decodeSimLun(text: string): LunModel {
  const ours = new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${SIM_FORMAT}"`).test(text);
  const result = v.safeParse(schema, parseJson(text, ours));
  if (!result.success) {
    const [issue] = result.issues;
    throw new NotASimLun(ours, `${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const { format: _format, version: _version, device, registrations, ...rest } = result.output;
  const model: LunModel = {
    ...rest,
    device: { ...device, profile: PROFILES[device.profile]! },
    registrations: registrations.map(({ nexus, key, allTargetPorts }) => ({ nexus, key, allTgPt: allTargetPorts })),
  };
  const contradiction = contradictionIn(model);
  if (contradiction !== null) throw new NotASimLun(ours, contradiction);
  return model;
}

function parseJson(text: string, ours: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new NotASimLun(ours, error.message);
    throw error;
  }
}

/** What no sequence of commands leads to. */
function contradictionIn(model: LunModel): string | null {
  const { registrations, reservation, device, medium } = model;
  if (new Set(registrations.map(({ nexus }) => nexus)).size < registrations.length) {
    return "a nexus is registered twice";
  }
  if (registrations.length > device.maxRegistrations) return "more registrations than there is room for";
  if (Object.keys(medium).some((lba) => Number(lba) >= device.blocks)) return "a block beyond the capacity";
  if (reservation === null) return null;
  if (registrations.length === 0) return "a reservation, but nobody is registered";
  const all = isAllRegistrants(reservation.type) && !device.profile.allRegistrantsInternalHolder;
  if (all !== (reservation.holder === ALL_REGISTRANTS)) return `type ${reservation.type} held by ${reservation.holder}`;
  return all || registrationOf(model, reservation.holder) ? null : "the holder of the reservation is not registered";
}

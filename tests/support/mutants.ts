/**
 * Simulated LUNs broken on purpose, each in one way a real target might be: the suite of scenarios has to notice.
 *
 * @module
 */
import { PR_IN_ACTION, PR_OUT_ACTION } from "../../lib/pr/cdb.ts";
import type { Reply } from "../../lib/pr/nexus.ts";
import { type Command, decodeCommand, type PrOutCommand } from "../../lib/pr/sim/command.ts";
import type { LunModel } from "../../lib/pr/sim/model.ts";
import { apply } from "../../lib/pr/sim/apply.ts";
import { MemoryLun } from "../../lib/sim/memory_lun.ts";

/** One command, rightly executed: what a mutant may spoil. */
interface Deed {
  readonly nexus: string;
  readonly command: Command;
  readonly before: LunModel;
  readonly after: LunModel;
  readonly reply: Reply;
}

/** What a mutant makes of a command. */
type Spoil = (deed: Deed) => Spoiled;
interface Spoiled {
  readonly model?: LunModel;
  readonly reply?: Reply;
}

const A = PR_OUT_ACTION;
const GOOD = 0x00;
const RESERVATION_CONFLICT = 0x18;
const OPCODE = {
  reserve6: 0x16,
  modeSense6: 0x1a,
  startStopUnit: 0x1b,
  write10: 0x2a,
  unmap: 0x42,
  serviceActionIn16: 0x9e,
} as const;
const NOTHING: Spoiled = {};

function out({ command, reply }: Deed, ...actions: number[]): PrOutCommand | null {
  if (command.kind !== "prOut" || reply.status !== GOOD) return null;
  return actions.includes(command.action) ? command : null;
}

function answered({ command, reply }: Deed, action: number): Uint8Array<ArrayBuffer> | null {
  if (command.kind !== "prIn" || command.action !== action || reply.status !== GOOD) return null;
  return reply.dataIn.slice();
}

/** Every mutant by what it does wrong. */
export const MUTANTS: Readonly<Record<string, Spoil>> = {
  "PREEMPT tells nobody": (deed) =>
    out(deed, A.preempt) ? { model: { ...deed.after, attentions: deed.before.attentions } } : NOTHING,
  "PREEMPT removes the preemptor": (deed) =>
    out(deed, A.preempt) && deed.after.reservation?.holder !== deed.nexus
      ? { model: without(deed.after, deed.nexus) }
      : NOTHING,
  "PREEMPT removes one of those who share the key": (deed) => {
    if (!out(deed, A.preempt)) return NOTHING;
    const gone = deed.before.registrations.filter(({ nexus }) =>
      !deed.after.registrations.some((each) => each.nexus === nexus)
    );
    return { model: { ...deed.after, registrations: [...deed.after.registrations, ...gone.slice(1)] } };
  },
  "PREEMPT keeps the old type": (deed) =>
    out(deed, A.preempt) && deed.before.reservation !== null && deed.after.reservation !== null &&
      deed.before.reservation.type < 7
      ? {
        model: { ...deed.after, reservation: { ...deed.after.reservation, type: deed.before.reservation.type } },
      }
      : NOTHING,
  "PREEMPT of an unknown key is GOOD": (deed) =>
    deed.command.kind === "prOut" && deed.command.action === A.preempt && deed.reply.status === 0x18
      ? { reply: { ...deed.reply, status: GOOD } }
      : NOTHING,
  "all-registrants reports a key": (deed) => {
    const data = answered(deed, PR_IN_ACTION.readReservation);
    const key = deed.after.registrations[0]?.key;
    if (data === null || key === undefined || (deed.after.reservation?.type ?? 0) < 7 || data.length < 16) {
      return NOTHING;
    }
    new DataView(data.buffer).setBigUint64(8, key);
    return { reply: { ...deed.reply, dataIn: data } };
  },
  "all-registrants ends with the one who made it": (deed) =>
    out(deed, A.register) && deed.after.registrations.length < deed.before.registrations.length
      ? { model: { ...deed.after, reservation: null } }
      : NOTHING,
  "READ KEYS lists a shared key once": (deed) => {
    const data = answered(deed, PR_IN_ACTION.readKeys);
    const keys = [...new Set(deed.after.registrations.map(({ key }) => key))];
    if (data === null || data.length < 8 + 8 * deed.after.registrations.length) return NOTHING;
    const view = new DataView(data.buffer);
    view.setUint32(4, 8 * keys.length);
    keys.forEach((key, i) => view.setBigUint64(8 + 8 * i, key));
    return { reply: { ...deed.reply, dataIn: data.slice(0, 8 + 8 * keys.length) } };
  },
  "READ KEYS cut short understates its length": (deed) => {
    const data = answered(deed, PR_IN_ACTION.readKeys);
    if (data === null || data.length !== 8) return NOTHING;
    new DataView(data.buffer).setUint32(4, 0);
    return { reply: { ...deed.reply, dataIn: data } };
  },
  "REGISTER does not count": (deed) =>
    out(deed, A.register) ? { model: { ...deed.after, generation: deed.before.generation } } : NOTHING,
  "RESERVE counts": (deed) =>
    out(deed, A.reserve) ? { model: { ...deed.after, generation: deed.after.generation + 1 } } : NOTHING,
  "a new key loses the reservation": (deed) =>
    out(deed, A.register) && deed.after.registrations.length === deed.before.registrations.length
      ? { model: { ...deed.after, reservation: null } }
      : NOTHING,
  "APTPL is not kept": (deed) => deed.after.ptplActive ? { model: { ...deed.after, ptplActive: false } } : NOTHING,
  "RELEASE tells nobody": (deed) =>
    out(deed, A.release) ? { model: { ...deed.after, attentions: deed.before.attentions } } : NOTHING,
  "CLEAR leaves the sender registered": (deed) =>
    out(deed, A.clear)
      ? {
        model: {
          ...deed.after,
          registrations: deed.before.registrations.filter(({ nexus, key }) =>
            nexus === deed.nexus && (key & 0xf00n) === 0n
          ),
        },
      }
      : NOTHING,
  "a unit attention does not stop the command": (deed) => {
    if (deed.command.kind !== "prOut" || deed.reply.sense[2] !== 6) return NOTHING;
    return { model: apply(deed.after, deed.nexus, deed.command).model };
  },
  "a stranger may write": (deed) => always(deed, OPCODE.write10, GOOD),
  "a stranger may unmap": (deed) => always(deed, OPCODE.unmap, GOOD),
  "a stranger may change the unit's power": (deed) => always(deed, OPCODE.startStopUnit, GOOD),
  "a reservation hides the capacity": (deed) =>
    isReserved(deed) ? always(deed, OPCODE.serviceActionIn16, RESERVATION_CONFLICT) : NOTHING,
  "Exclusive Access lets mode pages be read": (deed) => always(deed, OPCODE.modeSense6, GOOD),
  "RESERVE(6) is refused to a registrant": (deed) =>
    isReserved(deed) && deed.after.reservation?.holder !== deed.nexus
      ? always(deed, OPCODE.reserve6, RESERVATION_CONFLICT)
      : NOTHING,
};

function isReserved({ after }: Deed): boolean {
  return after.reservation !== null;
}

/** One command is answered with one status, whoever sends it. */
function always({ command, reply }: Deed, opcode: number, status: number): Spoiled {
  return command.kind === "ordinary" && command.cdb[0] === opcode ? { reply: { ...reply, status } } : NOTHING;
}

function without(model: LunModel, gone: string): LunModel {
  return { ...model, registrations: model.registrations.filter(({ nexus }) => nexus !== gone) };
}

/** A LUN in memory with one of the {@link MUTANTS} inside. */
export class MutantLun extends MemoryLun {
  constructor(readonly mutant: string) {
    super({ record: false });
  }

  override execute(nexus: string, cdb: Uint8Array, data: Uint8Array | number): Reply {
    const before = this.model;
    const reply = super.execute(nexus, cdb, data);
    const command = decodeCommand(cdb, data);
    const spoiled = MUTANTS[this.mutant]?.({ nexus, command, before, after: this.model, reply }) ?? NOTHING;
    this.model = spoiled.model ?? this.model;
    return spoiled.reply ?? reply;
  }
}

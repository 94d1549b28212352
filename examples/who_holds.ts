/**
 * Who holds a LUN? Reads alone: a command that could change something is refused before it is sent.
 *
 *     deno run -A examples/who_holds.ts /dev/sg3
 *     deno run -A examples/who_holds.ts 'sim:lun.json?nexus=A'
 *
 * @module
 */
import { describeTransportId, formatKey, type Nexus, patient, prTypeInfo, readOnly, readState } from "@prmig/prmig";
import { openSgDevice } from "@prmig/prmig/sg";
import { openSimNexus } from "@prmig/prmig/sim";

async function open(address: string): Promise<Nexus> {
  const nexus = address.startsWith("sim:")
    ? await openSimNexus(address)
    : await openSgDevice(address, { writable: false });
  return patient(readOnly(nexus)); // waits out unit attentions and BUSY
}

const [address] = Deno.args;
if (address === undefined) {
  console.error("usage: who_holds.ts /dev/sgN | sim:FILE?nexus=NAME");
  Deno.exit(2);
}
const nexus = await open(address);
try {
  const { reservation, registrations } = await readState(nexus);
  console.log(
    reservation === null ? "no reservation" : prTypeInfo(reservation.type)?.name ?? `type ${reservation.type}`,
  );
  for (const { key, holder, transportId } of registrations) {
    const who = transportId === null ? "somebody" : describeTransportId(transportId);
    console.log(`${formatKey(key)}  ${who}${holder ? "  holds" : ""}`);
  }
} finally {
  nexus.close();
}

/**
 * TransportIDs: the name of an initiator port as READ FULL STATUS shows it and REGISTER AND MOVE takes it.
 *
 * @module
 */

/** An initiator port. Two are the same port when {@link TransportId.protocol} and address agree (iSCSI: whatever the case). */
export interface TransportId {
  readonly protocol: "fc" | "spi" | "sbp" | "srp" | "iscsi" | "sas" | "sop" | "unknown";
  /** FC, SAS, SRP, SBP: lower-case hex digits; iSCSI: the name, with `,i,0x<ISID>` for one port; unknown: all bytes in hex. */
  readonly address: string;
}

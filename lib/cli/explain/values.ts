/**
 * Words only `prmig explain` takes. Pure; kept apart so that help loads no decoder.
 *
 * @module
 */
import { BadValue, type ValueKind } from "../values.ts";

/** Names of what bytes can be said to be; a test holds them against kinds.ts. */
export const KIND_NAMES = [
  "cdb",
  "sense",
  "capabilities",
  "full-status",
  "reservation",
  "keys",
  "transport-id",
  "parameters",
  "move-parameters",
  "key",
  "status",
  "other-cdb",
] as const;

/** What bytes are said to be. */
export const KIND: ValueKind<string> = {
  shape: "KIND",
  choices: KIND_NAMES,
  parse: (word) => {
    const name = word.toLowerCase();
    if (KIND_NAMES.some((known) => known === name)) return name;
    throw new BadValue(`expected one of ${KIND_NAMES.join(", ")}`);
  },
};

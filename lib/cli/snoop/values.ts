/**
 * Kinds of words only `prmig snoop` takes. Pure.
 *
 * @module
 */
import { BadValue, type ValueKind } from "../values.ts";

/** Permissions in octal. */
export const MODE: ValueKind<number> = {
  shape: "MODE",
  parse: (word) => {
    if (!/^0?[0-7]{3}$/.test(word)) throw new BadValue("expected permissions in octal, such as 0660");
    return parseInt(word, 8);
  },
};

/** A natural number from 1 on. */
export const COUNT: ValueKind<number> = {
  shape: "N",
  parse: (word) => {
    const number = Number(word);
    if (!/^\d{1,6}$/.test(word) || number < 1) throw new BadValue("expected a number from 1 to 999999");
    return number;
  },
};

/**
 * The kinds of words only `watch` takes.
 *
 * Pure.
 *
 * @module
 */
import { BadValue, DURATION, type ValueKind } from "../values.ts";
import { BadCondition, type Condition, parseCondition } from "./until.ts";

/** An interval of polling in milliseconds; 0 turns it off. */
export const POLL: ValueKind<number> = {
  shape: "DURATION",
  parse: (word) => /^0(ms|s|m|h)?$/.test(word.trim()) ? 0 : DURATION.parse(word),
};

/** What --until waits for. */
export const CONDITION: ValueKind<Condition> = {
  shape: "CONDITION",
  parse: (word) => {
    try {
      return parseCondition(word);
    } catch (error) {
      if (error instanceof BadCondition) throw new BadValue(error.message);
      throw error;
    }
  },
};

/**
 * What may happen next in a world, one thing of it.
 *
 * @module
 */
import type { Who } from "./scene.ts";
import type { World } from "./world.ts";

/** One thing that may happen. */
export interface Move {
  readonly who: Who | "third party" | "guest" | "time" | "link";
  /** In words, for a trace. */
  readonly what: () => string;
  /** It may as well never happen: trouble, a person at work. What is not optional happens before time passes. */
  readonly optional?: boolean;
  readonly to: () => World | Promise<World>;
}

import assert from "node:assert/strict";
import { shrink } from "../../support/shrink.ts";

const numbers = Array.from({ length: 100 }, (_, i) => i);

Deno.test("shrink() leaves what a failure needs, in order", async () => {
  const needs = [3, 50, 97];
  const fails = (list: readonly number[]): Promise<boolean> => Promise.resolve(needs.every((n) => list.includes(n)));
  assert.deepEqual(await shrink(numbers, fails, 1000), needs);
});

Deno.test("shrink() never asks about an empty list, and leaves one element that fails alone", async () => {
  const fails = (list: readonly number[]): Promise<boolean> => {
    assert.ok(list.length > 0);
    return Promise.resolve(true);
  };
  assert.equal((await shrink(numbers, fails, 1000)).length, 1);
});

Deno.test("shrink() gives what it has when the tries are used up", async () => {
  const fails = (list: readonly number[]): Promise<boolean> => Promise.resolve(list.includes(0));
  assert.equal((await shrink(numbers, fails, 1)).length, 50);
});

import assert from "node:assert/strict";
import { ServeLoop } from "../../../lib/snoop/serve_loop.ts";
import { TurnClock } from "../../../lib/snoop/turn_clock.ts";

Deno.test("a command that is found at a pause leaves before the loop waits again", async () => {
  const order: string[] = [];
  let [nowUs, over] = [0, false];
  const loop = new ServeLoop(
    null,
    {
      handle: () => {},
      moving: () => 0,
      pause: () => queueMicrotask(() => order.push("left")), // as commands do: all of a turn with one write
      inRuntime: () => false,
      over: () => over,
    },
    new TurnClock(() => nowUs += 11_000, () => 0), // every look is a pause later
  );
  loop.epoll.wait = () => Promise.resolve([{ fd: -1, readable: true, writable: false, hangUp: false }]);
  loop.epoll.poll = () => {
    order.push("waited");
    over = true;
    return [];
  };
  await loop.run();
  assert.deepEqual(order.slice(0, 2), ["left", "waited"]);
});

/**
 * Messages that a QEMU gone wrong might send.
 *
 * @module
 */
import fc from "fast-check";

/** Messages that look like QMP's, with anything in any place. */
export const nearly = fc.record({
  event: fc.option(fc.anything({ maxDepth: 1 }), { nil: undefined }),
  timestamp: fc.constantFrom(undefined, null, {}, { seconds: 1, microseconds: 1 }),
  data: fc.option(fc.anything({ maxDepth: 1 }), { nil: undefined }),
  return: fc.option(fc.anything({ maxDepth: 1 }), { nil: undefined }),
  error: fc.option(fc.anything({ maxDepth: 1 }), { nil: undefined }),
  id: fc.option(fc.oneof(fc.nat(5), fc.anything({ maxDepth: 0 })), { nil: undefined }),
  QMP: fc.constantFrom(undefined, undefined, undefined, {}),
}, { requiredKeys: [] });

/**
 * The real terminal behind the live view.
 *
 * @module
 */
import { keyNames, type Terminal } from "./screen.ts";

const utf8 = new TextEncoder();

/** This process's terminal. Keys come only when standard input is one, too. */
export function processTerminal(writeStdout: (bytes: Uint8Array) => void): Terminal {
  return {
    write: (text) => writeStdout(utf8.encode(text)),
    size,
    onResize: (call) => {
      const goOn = (): void => {
        if (Deno.stdin.isTerminal()) Deno.stdin.setRaw(true, { cbreak: true }); // a shell has set it otherwise meanwhile
        call();
      };
      Deno.addSignalListener("SIGWINCH", call);
      Deno.addSignalListener("SIGCONT", goOn);
      return () => {
        Deno.removeSignalListener("SIGWINCH", call);
        Deno.removeSignalListener("SIGCONT", goOn);
      };
    },
    onKey,
  };
}

/** Some terminals have no size to tell, or say 0. */
function size(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  } catch (error) {
    if (error instanceof Error) return { columns: 80, rows: 24 };
    throw error;
  }
}

function onKey(call: (key: string) => void): () => void {
  if (!Deno.stdin.isTerminal()) return () => {};
  Deno.stdin.setRaw(true, { cbreak: true }); // Ctrl-C stays what it is
  const reader = Deno.stdin.readable.getReader();
  const text = new TextDecoder();
  const read = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      for (const key of keyNames(text.decode(value, { stream: true }))) call(key);
    }
  };
  read().catch((error) => {
    if (!(error instanceof Error)) throw error; // the terminal is gone: no more keys
  });
  return () => Deno.stdin.setRaw(false);
}

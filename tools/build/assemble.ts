/**
 * One file out of the runtime, the stub and the bundle.
 *
 *     runtime: its header says interpreter -> (nothing), note -> one more segment, entry -> the stub
 *     the segment, behind everything else:
 *         stub | plan: addresses, offsets | arguments, variables, paths | the bundle | the program headers as
 *         the loader is to see them
 *
 * The kernel sees a program without an interpreter and starts the stub (stub/stub.c), which starts the loader. What the
 * loader and the runtime see through AT_PHDR is the copy: it still names the interpreter, and has the new segment too.
 *
 * Pure: the same inputs give the same bytes.
 *
 * @module
 */
import {
  Elf,
  HEADER_BYTES,
  MACHINE,
  type Place,
  SEGMENT,
  type Segment,
  writeLoad,
  writeNull,
  writePlace,
} from "./elf.ts";
import { RUNTIME_ARGUMENTS, RUNTIME_VARIABLES } from "./settings.ts";

/** Bytes of the plan before its list of offsets; stub.c has the same structure. */
const PLAN_BYTES = 56;

/** What the file is made of. */
export interface Parts {
  /** The deno executable. */
  readonly runtime: Uint8Array;
  /** Machine code for the same machine. */
  readonly stub: Uint8Array;
  /** JavaScript, one module without imports. */
  readonly bundle: Uint8Array;
  /** `x86_64` or `aarch64`. */
  readonly arch: string;
  /** Directory for root's cache, and what DENO_DIR is where none can be trusted. */
  readonly rootCache: string;
  readonly noCache: string;
}

/** The one file. Throws when the runtime is not laid out as expected. */
export function assemble({ runtime, stub, bundle, arch, rootCache, noCache }: Parts): Uint8Array<ArrayBuffer> {
  const original = new Elf(new Uint8Array(runtime));
  if (original.machine !== MACHINE[arch]) throw new Error(`the runtime is not for ${arch}`);
  const { interpreter, note, end, alignment } = survey(original);
  const place = { offset: up(original.bytes.length, alignment), address: up(end, alignment), alignment };
  const loader = original.bytes.subarray(interpreter.offset, interpreter.offset + interpreter.fileBytes);
  const segment = layOut(original, stub, place, {
    loader: new TextDecoder().decode(loader).replace(/\0.*$/, ""),
    args: RUNTIME_ARGUMENTS,
    vars: RUNTIME_VARIABLES,
    bundle,
    cachePath: rootCache,
    cache: `DENO_DIR=${rootCache}`,
    noCache: `DENO_DIR=${noCache}`,
  }, note);
  const whole = new Uint8Array(place.offset + segment.length);
  whole.set(original.bytes);
  whole.set(segment, place.offset);
  const changed = new Elf(whole);
  writeLoad(whole, note.at, { ...place, bytes: segment.length });
  writeNull(whole, interpreter.at);
  changed.entry = place.address;
  return whole;
}

interface Survey {
  readonly interpreter: Segment;
  readonly note: Segment;
  /** First address behind everything that is loaded. */
  readonly end: number;
  readonly alignment: number;
}

function survey(elf: Elf): Survey {
  const { segments } = elf;
  const only = (type: number, name: string): Segment => {
    const [found, ...others] = segments.filter((segment) => segment.type === type);
    if (!found || others.length > 0) throw new Error(`the runtime has not exactly one ${name} header`);
    return found;
  };
  const interpreter = only(SEGMENT.interpreter, "interpreter");
  const note = only(SEGMENT.note, "note");
  only(SEGMENT.headers, "program header");
  const loads = segments.filter((segment) => segment.type === SEGMENT.load);
  // Segments have to be in the order of their addresses, so the new one has to come last.
  if (loads.length === 0 || loads.some((load) => load.at > note.at)) {
    throw new Error("the note header is not behind all loads");
  }
  return {
    interpreter,
    note,
    end: Math.max(...loads.map(({ address, memoryBytes }) => address + memoryBytes)),
    alignment: Math.max(...loads.map(({ alignment }) => alignment)),
  };
}

interface Texts {
  readonly loader: string;
  readonly args: readonly string[];
  readonly vars: readonly string[];
  readonly bundle: Uint8Array;
  readonly cachePath: string;
  readonly cache: string;
  readonly noCache: string;
}

/** The bytes of the new segment. */
function layOut(
  elf: Elf,
  stub: Uint8Array,
  place: Omit<Place, "bytes">,
  texts: Texts,
  note: Segment,
): Uint8Array<ArrayBuffer> {
  const { args, vars, bundle } = texts;
  const words = [...args, ...vars, texts.loader, texts.cachePath, texts.cache, texts.noCache];
  const strings = words.map((word) => new TextEncoder().encode(word + "\0"));
  let next = PLAN_BYTES + 4 * (args.length + vars.length);
  const offsets = strings.map(({ length }) => (next += length) - length);
  const bundleAt = next;
  const headersAt = up(stub.length + bundleAt + bundle.length, 16);
  const { at, count } = elf.headers;
  const segment = new Uint8Array(headersAt + count * HEADER_BYTES);
  segment.set(stub);
  strings.forEach((bytes, i) => segment.set(bytes, stub.length + offsets[i]!));
  segment.set(bundle, stub.length + bundleAt);
  const view = new DataView(segment.buffer, stub.length);
  [place.address, elf.entry, place.address + headersAt].forEach((value, i) =>
    view.setBigUint64(8 * i, BigInt(value), true)
  );
  const [loader, cachePath, cache, noCache] = offsets.slice(-4) as [number, number, number, number];
  [loader, cachePath, cache, noCache, bundleAt, bundle.length, args.length, vars.length, ...offsets.slice(0, -4)]
    .forEach((value, i) => view.setUint32(24 + 4 * i, value, true));
  segment.set(elf.bytes.subarray(at, at + count * HEADER_BYTES), headersAt);
  // The loader's copy: the new segment is loaded, and the headers are where this copy is.
  writeLoad(segment, headersAt + note.at - at, { ...place, bytes: segment.length });
  const own = elf.segments.find(({ type }) => type === SEGMENT.headers)!;
  writePlace(segment, headersAt + own.at - at, place.offset + headersAt, place.address + headersAt);
  return segment;
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/**
 * Throw-away X.509 certificates for tests of TLS: made here, so that no test needs a program for it.
 * DER by hand, ECDSA P-256 by the runtime. Source: RFC 5280, section 4.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** A certificate and its key, PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

/** An authority that can certify names. */
export class Authority {
  private constructor(readonly name: string, readonly keys: CryptoKeyPair, readonly cert: string) {}

  static async found(name: string): Promise<Authority> {
    const keys = await newKeys();
    return new Authority(name, keys, await certificate({ subject: name, issuer: name, keys, signer: keys, ca: true }));
  }

  /** A certificate for host names and for 127.0.0.1. */
  async certify(subject: string): Promise<Certified> {
    const keys = await newKeys();
    const cert = await certificate({ subject, issuer: this.name, keys, signer: this.keys, ca: false });
    const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
    return { cert, key: pem("PRIVATE KEY", key) };
  }
}

interface Facts {
  readonly subject: string;
  readonly issuer: string;
  readonly keys: CryptoKeyPair;
  readonly signer: CryptoKeyPair;
  readonly ca: boolean;
}

const ECDSA_SHA256 = oid(1, 2, 840, 10045, 4, 3, 2);
const COMMON_NAME = oid(2, 5, 4, 3);
const BASIC_CONSTRAINTS = oid(2, 5, 29, 19);
const SUBJECT_ALT_NAME = oid(2, 5, 29, 17);

async function certificate({ subject, issuer, keys, signer, ca }: Facts): Promise<string> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
  const algorithm = der(0x30, ECDSA_SHA256);
  const altNames = der(0x30, der(0x82, text("localhost")), der(0x87, Uint8Array.of(127, 0, 0, 1)));
  const extensions = [
    extension(BASIC_CONSTRAINTS, der(0x30, ...ca ? [der(0x01, Uint8Array.of(0xff))] : [])),
    ...ca ? [] : [extension(SUBJECT_ALT_NAME, altNames)],
  ];
  const body = der(
    0x30,
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(1, ...crypto.getRandomValues(new Uint8Array(8)))),
    algorithm,
    nameOf(issuer),
    der(0x30, timeOf(-1), timeOf(1)),
    nameOf(subject),
    spki,
    der(0xa3, der(0x30, ...extensions)),
  );
  const raw = new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, signer.privateKey, body));
  const signature = der(0x30, integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  return pem("CERTIFICATE", der(0x30, body, algorithm, der(0x03, Uint8Array.of(0), signature)));
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
}

function extension(id: Bytes, value: Bytes): Bytes {
  return der(0x30, id, der(0x04, value));
}

function nameOf(commonName: string): Bytes {
  return der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, text(commonName)))));
}

/** UTCTime, days from now. */
function timeOf(days: number): Bytes {
  const iso = new Date(Date.now() + days * 86_400_000).toISOString();
  return der(0x17, text(iso.slice(2, 19).replaceAll(/[-:T]/g, "") + "Z"));
}

function integer(unsigned: Uint8Array): Bytes {
  const from = unsigned.findIndex((byte) => byte !== 0);
  const digits = unsigned.subarray(from);
  return der(0x02, Uint8Array.of(...digits[0]! >= 0x80 ? [0] : [], ...digits));
}

function oid(first: number, second: number, ...rest: number[]): Bytes {
  const base128 = (n: number): number[] => n < 128 ? [n] : [...base128(n >> 7).map((b) => b | 0x80), n & 0x7f];
  return der(0x06, Uint8Array.of(40 * first + second, ...rest.flatMap(base128)));
}

function der(tag: number, ...parts: Bytes[]): Bytes {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...size, ...parts.flatMap((part) => [...part])]);
}

function text(words: string): Bytes {
  return new TextEncoder().encode(words);
}

function pem(label: string, bytes: Bytes): string {
  return `-----BEGIN ${label}-----\n${
    btoa(String.fromCharCode(...bytes)).replaceAll(/.{64}/g, "$&\n")
  }\n-----END ${label}-----\n`;
}

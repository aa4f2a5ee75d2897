/** SHA-256 and its keyed form (FIPS 180-4, RFC 2104): UXP offers none. */

import { toBytes } from "./text_bytes.ts";

const BLOCK = 64;

const PRIMES = ((): number[] => {
  const found: number[] = [];
  for (let number = 2; found.length < 64; number++) {
    if (found.every((prime) => number % prime !== 0)) {
      found.push(number);
    }
  }
  return found;
})();

/** The first 32 bits behind the point. */
const fraction = (root: number): number => ((root % 1) * 2 ** 32) >>> 0;
const START = PRIMES.slice(0, 8).map((prime) => fraction(prime ** (1 / 2)));
const ROUND = PRIMES.map((prime) => fraction(prime ** (1 / 3)));

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(BLOCK * Math.ceil((message.length + 9) / BLOCK));
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, 8 * message.length);
  const hash = Uint32Array.from(START);
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += BLOCK) {
    for (let k = 0; k < 64; k++) {
      words[k] = k < 16 ? view.getUint32(block + 4 * k) : scheduled(words, k);
    }
    mix(hash, words);
  }
  const digest = new DataView(new ArrayBuffer(32));
  hash.forEach((word, k) => digest.setUint32(4 * k, word));
  return new Uint8Array(digest.buffer);
}

function scheduled(words: Uint32Array, k: number): number {
  const [early, late] = [words[k - 15] ?? 0, words[k - 2] ?? 0];
  const small = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
  const large = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
  return (words[k - 16] ?? 0) + small + (words[k - 7] ?? 0) + large;
}

function mix(hash: Uint32Array, words: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let k = 0; k < 64; k++) {
    const choice = (e & f) ^ (~e & g);
    const sum = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
    const first = (h + sum + choice + (ROUND[k] ?? 0) + (words[k] ?? 0)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, k) => {
    hash[k] = (hash[k] ?? 0) + word;
  });
}

/** Returns 64 hexadecimal digits. The key is text of at most 64 bytes. */
export function hmacSha256(key: string, message: string): string {
  const padded = new Uint8Array(BLOCK);
  padded.set(toBytes(key));
  const inner = sha256(joined(padded.map((byte) => byte ^ 0x36), toBytes(message)));
  const outer = sha256(joined(padded.map((byte) => byte ^ 0x5c), inner));
  return [...outer].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

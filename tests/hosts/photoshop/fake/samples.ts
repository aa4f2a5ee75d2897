/** The case's picture, and samples in Photoshop's own scale. */

export type Samples = Uint8Array | Uint16Array;

declare global {
  interface Window {
    fakeSetup: {
      width: number; height: number; depth: 8 | 16; pixels: string; mask: string | null; options: any;
    };
    renderFile: (files: string[]) => Promise<string>;
    fake: any;
  }
}

export const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export const toBase64 = (bytes: Uint8Array): string => {
  let text = "";
  for (let start = 0; start < bytes.length; start += 8192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8192));
  }
  return btoa(text);
};

export const setup = window.fakeSetup;
export const { width, height, depth } = setup;
/** Photoshop's own scale; files and full-range buffers have all 16 bits. */
const WHITE = depth === 16 ? 32768 : 255;
export const toFull = (own: Samples): Samples =>
  own instanceof Uint16Array ? own.map((value) => Math.round((value * 65535) / 32768)) : own.slice();
export const toOwn = (full: Samples): Samples =>
  full instanceof Uint16Array ? full.map((value) => Math.round((value * 32768) / 65535)) : full.slice();
export const samplesFrom = (text: string): Samples => {
  const bytes = fromBase64(text);
  return depth === 16 ? toOwn(new Uint16Array(bytes.buffer)) : bytes;
};

export function boundsOf(coverage: Uint8Array): { left: number; top: number; right: number; bottom: number } {
  let [left, top, right, bottom] = [width, height, 0, 0];
  coverage.forEach((value, k) => {
    if (value > 0) {
      const [x, y] = [k % width, Math.floor(k / width)];
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  });
  return { left, top, right, bottom };
}

export function shrink(data: Samples, components: number, to: { width: number; height: number }): Samples {
  const out = emptyLike(data, to.width * to.height * components);
  for (let y = 0; y < to.height; y++) {
    const top = Math.floor((y * height) / to.height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / to.height));
    for (let x = 0; x < to.width; x++) {
      const left = Math.floor((x * width) / to.width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * width) / to.width));
      for (let k = 0; k < components; k++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum += data[(row * width + column) * components + k] as number;
          }
        }
        out[(y * to.width + x) * components + k] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return out;
}

const emptyLike = (data: Samples, length: number): Samples =>
  data instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

export const withDepth = (data: Samples, bits: number): Samples =>
  data instanceof Uint16Array && bits === 8
    ? Uint8Array.from(data, (value) => Math.round((value * 255) / WHITE))
    : data;

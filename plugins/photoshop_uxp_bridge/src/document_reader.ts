/** Reads the picture and the selection of a Photoshop document. */

import { BridgeFailure, type Picture } from "./bridge_client.ts";
import type { Samples } from "./framing.ts";
import type { Document, PhotoshopModule } from "./hosts.ts";
import { BITS } from "./refusals.ts";

/** Photoshop's name of the profile that the networks expect. */
export const SRGB = "sRGB IEC61966-2.1";
export const PROXY_SIDE = 1024;

type ImageData = Awaited<ReturnType<PhotoshopModule["imaging"]["getPixels"]>>["imageData"];

interface Bounds {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Size {
  width: number;
  height: number;
}

export const sizeOf = (document: Document): Size => ({
  width: Math.round(document.width),
  height: Math.round(document.height),
});

export function proxySize({ width, height }: Size): Size {
  const scale = Math.min(1, PROXY_SIDE / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** Reads all visible layers at full size, in the document's own profile and depth. */
export const readWhole = (ps: PhotoshopModule, document: Document): Promise<Picture> =>
  readPixels(ps, document, {});

/** Reads one layer, without what lies above and below it, like `readWhole` but without alpha. */
export async function readLayer(
  ps: PhotoshopModule,
  document: Document,
  layerID: number,
): Promise<Picture> {
  return withoutAlpha(await readPixels(ps, document, { layerID }));
}

async function readPixels(
  ps: PhotoshopModule,
  document: Document,
  source: { layerID?: number },
): Promise<Picture> {
  const size = sizeOf(document);
  const bounds = { left: 0, top: 0, right: size.width, bottom: size.height };
  const componentSize = BITS[String(document.bitsPerChannel)] === 16 ? 16 : 8;
  const got = await ps.imaging.getPixels({
    documentID: document.id,
    sourceBounds: bounds,
    componentSize,
    ...source,
  });
  return place(got.imageData, got.sourceBounds, size, size);
}

export function withoutAlpha(picture: Picture): Picture {
  if (picture.channels === 3) {
    return picture;
  }
  const count = picture.width * picture.height;
  const pixels = emptyLike(picture.pixels, 3 * count);
  for (let k = 0; k < 3 * count; k++) {
    pixels[k] = picture.pixels[4 * Math.floor(k / 3) + (k % 3)] ?? 0;
  }
  return { ...picture, channels: 3, pixels };
}

/** Reads all visible layers as a small sRGB copy, for the networks. */
export async function readProxy(ps: PhotoshopModule, document: Document): Promise<Picture> {
  const size = sizeOf(document);
  const got = await ps.imaging.getPixels({
    documentID: document.id,
    sourceBounds: { left: 0, top: 0, right: size.width, bottom: size.height },
    targetSize: proxySize(size),
    colorProfile: SRGB,
    colorSpace: "RGB",
    componentSize: 8,
  });
  return place(got.imageData, got.sourceBounds, size, proxySize(size));
}

/** Reads the selection as coverage of the whole document, 0-255, at full size. */
export async function readSelection(ps: PhotoshopModule, document: Document): Promise<Uint8Array> {
  const size = sizeOf(document);
  let got;
  try {
    got = await ps.imaging.getSelection({
      documentID: document.id,
      sourceBounds: { left: 0, top: 0, right: size.width, bottom: size.height },
    });
  } catch {
    throw noSelection();
  }
  const coverage = await placeMask(got.imageData, got.sourceBounds, size);
  if (!coverage.some((value) => value > 0)) {
    throw noSelection();
  }
  return coverage;
}

const noSelection = (): BridgeFailure =>
  new BridgeFailure(
    "selection",
    "Nothing is selected.",
    "Select what viewers shall look at, for example with Select > Subject, or press Adjust " +
      "existing edit.",
  );

/** Shrinks coverage to another size by averaging; it only feeds the networks. */
export function shrinkMask(mask: Uint8Array, from: Size, to: Size): Uint8Array {
  const small = new Uint8Array(to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    const top = Math.floor((y * from.height) / to.height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * from.height) / to.height));
    for (let x = 0; x < to.width; x++) {
      const left = Math.floor((x * from.width) / to.width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * from.width) / to.width));
      let sum = 0;
      for (let row = top; row < bottom; row++) {
        for (let column = left; column < right; column++) {
          sum += mask[row * from.width + column] ?? 0;
        }
      }
      small[y * to.width + x] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return small;
}

/**
 * Puts pixels where they belong: Photoshop may leave out empty edges, and may scale what it gives.
 * The rest is transparent.
 */
async function place(data: ImageData, bounds: Bounds, from: Size, to: Size): Promise<Picture> {
  try {
    const samples = await samplesOf(data);
    const given = data.components;
    const isWhole = data.width === to.width && data.height === to.height;
    const channels = given === 3 && isWhole ? 3 : 4;
    if (isWhole && given === channels) {
      return { ...to, channels, pixels: samples };
    }
    const largest = samples instanceof Uint16Array ? 65535 : 255;
    const pixels = emptyLike(samples, to.width * to.height * channels);
    const left = Math.round((bounds.left * to.width) / from.width);
    const top = Math.round((bounds.top * to.height) / from.height);
    for (let y = 0; y < data.height && y + top < to.height; y++) {
      for (let x = 0; x < data.width && x + left < to.width; x++) {
        const source = (y * data.width + x) * given;
        const target = ((y + top) * to.width + x + left) * channels;
        for (let k = 0; k < 3; k++) {
          pixels[target + k] = samples[source + k] ?? 0;
        }
        pixels[target + 3] = given === 4 ? (samples[source + 3] ?? 0) : largest;
      }
    }
    return { ...to, channels, pixels };
  } finally {
    await data.dispose();
  }
}

/** Photoshop gives the selection's own bounding box, whatever was asked for. */
async function placeMask(data: ImageData, bounds: Bounds, size: Size): Promise<Uint8Array> {
  try {
    const samples = await samplesOf(data);
    const whole = new Uint8Array(size.width * size.height);
    const shift = samples instanceof Uint16Array ? 257 : 1;
    for (let y = 0; y < data.height; y++) {
      const row = y + bounds.top;
      if (row < 0 || row >= size.height) {
        continue;
      }
      for (let x = 0; x < data.width; x++) {
        const column = x + bounds.left;
        if (column >= 0 && column < size.width) {
          const value = samples[(y * data.width + x) * data.components] ?? 0;
          whole[row * size.width + column] = Math.round(value / shift);
        }
      }
    }
    return whole;
  } finally {
    await data.dispose();
  }
}

async function samplesOf(data: ImageData): Promise<Samples> {
  // Without fullRange 16 bits would run from 0 to 32768.
  const samples = await data.getData({ chunky: true, fullRange: true });
  if (samples instanceof Float32Array) {
    throw new BridgeFailure("depth", "Photoshop gave 32-bit pixels.", "Convert to 8 or 16 bits.");
  }
  return samples;
}

const emptyLike = (samples: Samples, length: number): Samples =>
  samples instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length);

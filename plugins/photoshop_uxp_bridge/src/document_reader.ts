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

/** Returns null for a document without a profile: Photoshop calls that one "None". */
export const profileOf = (document: Document): string | null =>
  String(document.colorProfileType) === "none" ? null : document.colorProfileName || null;

export const sizeOf = (document: Document): Size => ({
  width: Math.round(document.width),
  height: Math.round(document.height),
});

export const proxySize = (size: Size): Size => fitInto(size, PROXY_SIDE);

/** Returns the size whose longest side is at most `side`. */
export function fitInto({ width, height }: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(width, height));
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
  return place(got.imageData, fullBounds(got), size, size);
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
  return place(got.imageData, fullBounds(got), size, proxySize(size));
}

/** Photoshop counts the bounds in pixels of the pyramid level that it has read. */
function fullBounds({ sourceBounds, level }: { sourceBounds: Bounds; level: number }): Bounds {
  const scale = 2 ** level;
  return {
    left: scale * sourceBounds.left,
    top: scale * sourceBounds.top,
    right: scale * sourceBounds.right,
    bottom: scale * sourceBounds.bottom,
  };
}

/** Reads the selection as coverage of the whole document, 0-255, at full size. */
export async function readSelection(ps: PhotoshopModule, document: Document): Promise<Uint8Array> {
  if (document.selection.bounds === null) {
    throw noSelection();
  }
  const size = sizeOf(document);
  const got = await ps.imaging.getSelection({
    documentID: document.id,
    sourceBounds: { left: 0, top: 0, right: size.width, bottom: size.height },
  });
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

/** Shrinks coverage to another size; it only feeds the networks and the preview. */
export const shrinkMask = (mask: Uint8Array, from: Size, to: Size): Uint8Array =>
  average(mask, 1, from, to);

/** Shrinks a picture with 8 bits to what is on screen, on white where it is transparent. */
export function shrinkPicture(picture: Picture, to: Size): Picture {
  const { channels } = picture;
  const small = average(picture.pixels, channels, picture, to);
  const pixels = new Uint8Array(3 * to.width * to.height);
  for (let k = 0; k < pixels.length; k++) {
    const place = channels * Math.floor(k / 3);
    const alpha = channels === 4 ? (small[place + 3] ?? 0) / 255 : 1;
    pixels[k] = Math.round(alpha * (small[place + (k % 3)] ?? 0) + (1 - alpha) * 255);
  }
  return { ...to, channels: 3, pixels };
}

function average(samples: Samples, channels: number, from: Size, to: Size): Uint8Array {
  const small = new Uint8Array(to.width * to.height * channels);
  for (let y = 0; y < to.height; y++) {
    const top = Math.floor((y * from.height) / to.height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * from.height) / to.height));
    for (let x = 0; x < to.width; x++) {
      const left = Math.floor((x * from.width) / to.width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * from.width) / to.width));
      for (let k = 0; k < channels; k++) {
        let sum = 0;
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            sum += samples[(row * from.width + column) * channels + k] ?? 0;
          }
        }
        const value = Math.round(sum / ((bottom - top) * (right - left)));
        small[(y * to.width + x) * channels + k] = value;
      }
    }
  }
  return small;
}

/**
 * Puts pixels where they belong: Photoshop may leave out empty edges, and may scale what is left to
 * any size. The rest is transparent.
 */
async function place(data: ImageData, bounds: Bounds, from: Size, to: Size): Promise<Picture> {
  try {
    const samples = await samplesOf(data);
    const given = data.components;
    // What a level leaves over at the right and at the bottom is less than its own pixel.
    const isUntrimmed =
      bounds.left === 0 &&
      bounds.top === 0 &&
      bounds.right > from.width - (from.width / to.width) * 2 &&
      bounds.bottom > from.height - (from.height / to.height) * 2;
    const isWhole = isUntrimmed && data.width === to.width && data.height === to.height;
    const channels = given === 3 && isWhole ? 3 : 4;
    if (isWhole && given === channels) {
      return { ...to, channels, pixels: samples };
    }
    const largest = samples instanceof Uint16Array ? 65535 : 255;
    const pixels = emptyLike(samples, to.width * to.height * channels);
    const across = (x: number): number =>
      Math.min(to.width, Math.round((x * to.width) / from.width));
    const down = (y: number): number =>
      Math.min(to.height, Math.round((y * to.height) / from.height));
    const [left, right] = [across(bounds.left), across(bounds.right)];
    const [top, bottom] = [down(bounds.top), down(bounds.bottom)];
    for (let y = top; y < bottom; y++) {
      const row = Math.floor(((y - top) * data.height) / (bottom - top));
      for (let x = left; x < right; x++) {
        const column = Math.floor(((x - left) * data.width) / (right - left));
        const source = (row * data.width + column) * given;
        const target = (y * to.width + x) * channels;
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

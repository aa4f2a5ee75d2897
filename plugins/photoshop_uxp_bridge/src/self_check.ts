/** Compares what Photoshop shows with what the core renders: the evidence in the diagnostics. */

import type { Picture } from "./bridge_client.ts";
import type { Samples } from "./framing.ts";

/** Of 255. */
export interface Distance {
  largest: number;
  mean: number;
}

export interface Check extends Distance {
  isGood: boolean;
  /** With Smart Filters: how far they are from the core's sharpening, which the rest leaves out. */
  smart: Distance | null;
}

export const LARGEST = 4;
export const MEAN = 0.8;
/** Measured on three photos: 4.1 at the strongest sharpening, 1.6 at the strongest softening. */
export const SMART_MEAN = 5;

export function measure(shown: Picture, expected: Samples, expectedChannels: number): Distance {
  const scale = shown.pixels instanceof Uint16Array ? 257 : 1;
  const count = shown.width * shown.height;
  let largest = 0;
  let sum = 0;
  for (let pixel = 0; pixel < count; pixel++) {
    for (let k = 0; k < 3; k++) {
      const one = shown.pixels[pixel * shown.channels + k] ?? 0;
      const other = expected[pixel * expectedChannels + k] ?? 0;
      const distance = Math.abs(one - other) / scale;
      largest = Math.max(largest, distance);
      sum += distance;
    }
  }
  return { largest, mean: sum / (3 * count) };
}

export const judge = (distance: Distance, smart: Distance | null): Check => ({
  ...distance,
  isGood:
    distance.largest <= LARGEST &&
    distance.mean <= MEAN &&
    (smart === null || smart.mean <= SMART_MEAN),
  smart,
});

/** Puts two regions' renders, three channels each, together as the core does. */
export function blend(foreground: Samples, background: Samples, mask: Uint8Array): Samples {
  return foreground.map((inside, k) => {
    const weight = (mask[Math.floor(k / 3)] ?? 0) / 255;
    return Math.round(weight * inside + (1 - weight) * (background[k] ?? 0));
  }) as Samples;
}

export const inWords = ({ largest, mean }: Distance): string =>
  `largest ${largest.toFixed(1)}, mean ${mean.toFixed(2)} of 255`;

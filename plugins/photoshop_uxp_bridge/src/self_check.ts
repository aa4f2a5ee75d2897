/** Compares what Photoshop shows with what the core renders: the evidence in the diagnostics. */

import type { Picture } from "./bridge_client.ts";
import type { Samples } from "./framing.ts";

export interface Check {
  /** Largest and mean distance, of 255. */
  largest: number;
  mean: number;
  isGood: boolean;
}

export const LARGEST = 4;
export const MEAN = 0.8;

export function compare(shown: Picture, expected: Samples, expectedChannels: number): Check {
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
  const mean = sum / (3 * count);
  return { largest, mean, isGood: largest <= LARGEST && mean <= MEAN };
}

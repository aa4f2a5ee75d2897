/** Attention as colour over the small copy, as a picture that UXP can show. */

import type { Attention, Picture } from "./bridge_client.ts";

const SIDE = 260;

/** Dark blue over red to yellow, by attention from 0 to 1. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [20, 20, 70],
  [120, 30, 110],
  [220, 60, 60],
  [250, 160, 40],
  [255, 245, 160],
];

function colourOf(attention: number): [number, number, number] {
  const place = Math.min(attention, 0.9999) * (STOPS.length - 1);
  const k = Math.floor(place);
  const low = STOPS[k] ?? [0, 0, 0];
  const high = STOPS[k + 1] ?? low;
  const mixed = [0, 1, 2].map((c) => (low[c] ?? 0) + (place - k) * ((high[c] ?? 0) - (low[c] ?? 0)));
  return mixed as [number, number, number];
}

/** Blends the map over the picture; more attention hides more of it. */
export function drawHeatMap(picture: Picture, attention: Attention): Picture {
  const scale = SIDE / Math.max(picture.width, picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const source =
        (Math.floor((y * picture.height) / height) * picture.width +
          Math.floor((x * picture.width) / width)) *
        picture.channels;
      const value = sample(attention, (x + 0.5) / width, (y + 0.5) / height) / 255;
      const colour = colourOf(value);
      const weight = 0.35 + 0.45 * value;
      for (let k = 0; k < 3; k++) {
        const grey = picture.pixels[source + k] ?? 0;
        pixels[(y * width + x) * 3 + k] = Math.round((1 - weight) * grey + weight * (colour[k] ?? 0));
      }
    }
  }
  return { width, height, channels: 3, pixels };
}

/** Reads the map between its cells, so that no blocks show. */
function sample({ width, height, map }: Attention, x: number, y: number): number {
  const across = Math.min(Math.max(x * width - 0.5, 0), width - 1);
  const down = Math.min(Math.max(y * height - 0.5, 0), height - 1);
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [a, b] = [across - left, down - top];
  const at = (column: number, row: number): number => map[row * width + column] ?? 0;
  return (
    (1 - b) * ((1 - a) * at(left, top) + a * at(right, top)) +
    b * ((1 - a) * at(left, bottom) + a * at(right, bottom))
  );
}

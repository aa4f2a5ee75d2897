/** Layers as real Photoshop files. */

import { type Layer as FileLayer, type Psd, writePsdUint8Array } from "ag-psd";
import type { Layer } from "./photoshop.ts";
import { depth, height, type Samples, toBase64, toFull, width } from "./samples.ts";

/** Which byte of a sample goes into a file; with 16 bits there are two files. */
type Byte = "only" | "high" | "low";

const byteOf = (samples: Samples, byte: Byte): Uint8Array =>
  byte === "only" || samples instanceof Uint8Array
    ? (samples as Uint8Array)
    : Uint8Array.from(toFull(samples), (value) => (byte === "high" ? value >> 8 : value & 255));

const BLACK = { r: 0, g: 0, b: 0 };

function placedLayer(layer: Layer): any {
  const list = layer.filters.map(({ type, settings, opacity }) => ({
    name: type, type, filter: settings, opacity, blendMode: "normal", enabled: true, hasOptions: true,
    foregroundColor: BLACK, backgroundColor: BLACK,
  }));
  return {
    id: `20953ddb-9391-11ec-b4f1-${String(layer.id).padStart(12, "0")}`,
    type: "raster", width, height, transform: [0, 0, width, 0, width, height, 0, height],
    filter: {
      enabled: true, validAtPosition: true, maskEnabled: false, maskLinked: false,
      maskExtendWithWhite: false, list,
    },
  };
}

function fileLayer(layer: Layer, byte: Byte): FileLayer {
  const made: any = { name: layer.name, opacity: 1, hidden: !layer.visible };
  if (layer.layers) {
    made.opened = true;
    made.blendMode = layer.blendMode === "passThrough" ? "pass through" : "normal";
    made.children = [...layer.layers].reverse().map((one) => fileLayer(one, byte));
  } else if (layer.adjustment) {
    made.adjustment = layer.adjustment;
  } else {
    const { data: samples, components } = layer.pixels ?? { data: new Uint8Array(0), components: 4 };
    const data = byteOf(samples, byte);
    const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let pixel = 0; pixel < (layer.pixels ? width * height : 0); pixel++) {
      for (let k = 0; k < components; k++) {
        rgba[4 * pixel + k] = data[components * pixel + k] as number;
      }
    }
    made.imageData = { width, height, data: rgba };
    made.left = made.top = 0;
    if (layer.kind === "smartObject") {
      made.placedLayer = placedLayer(layer);
    }
  }
  if (layer.mask) {
    const { left, top, data } = layer.mask;
    const grey = new Uint8ClampedArray(4 * data.length).fill(255);
    data.forEach((value, k) => grey.fill(value, 4 * k, 4 * k + 3));
    made.mask = {
      left, top, right: left + layer.mask.width, bottom: top + layer.mask.height, defaultColor: 0,
      imageData: { width: layer.mask.width, height: layer.mask.height, data: grey },
    };
  }
  return made;
}

/** One file with 8 bits, or two with the high and the low bytes: ag-psd writes 8 bits only. */
export function toFiles(layers: Layer[]): string[] {
  const bytes: Byte[] = depth === 16 ? ["high", "low"] : ["only"];
  return bytes.map((byte) => {
    const children = [...layers].reverse().map((layer) => fileLayer(layer, byte));
    const psd: Psd = { width, height, children } as Psd;
    const flat = new Uint8ClampedArray(width * height * 4).fill(255);
    psd.imageData = { width, height, data: flat } as any;
    return toBase64(writePsdUint8Array(psd, { generateThumbnail: false }));
  });
}

/** Photoshop's own commands for a recipe. They hold the bridge's numbers as they came. */

import type { Curve, RecipeLayer, RecipeSharpening } from "./messages.ts";

export interface Descriptor {
  _obj: string;
  [key: string]: unknown;
}

const PRESET = { _enum: "presetKindType", _value: "presetKindCustom" } as const;
// Photoshop's name for the green channel in commands.
const CHANNELS = { composite: "composite", red: "red", green: "grain", blue: "blue" } as const;
const MASK = { _ref: "channel", _enum: "channel", _value: "mask" } as const;

export function makeAdjustment(layer: RecipeLayer): Descriptor {
  return {
    _obj: "make",
    _target: [{ _ref: "adjustmentLayer" }],
    using: {
      _obj: "adjustmentLayer",
      name: layer.name,
      type: layer.kind === "exposure" ? exposureOf(layer) : curvesOf(layer),
    },
  };
}

function exposureOf(layer: RecipeLayer): Descriptor {
  if (layer.exposure === null) {
    throw new Error(`The layer ${layer.name} has no exposure.`);
  }
  const exposure = layer.exposure;
  return { _obj: "exposure", presetKind: PRESET, exposure, offset: 0, gammaCorrection: 1 };
}

function curvesOf(layer: RecipeLayer): Descriptor {
  return { _obj: "curves", presetKind: PRESET, adjustment: layer.curves.map(curveOf) };
}

function curveOf(curve: Curve): Descriptor {
  return {
    _obj: "curvesAdjustment",
    channel: { _ref: "channel", _enum: "channel", _value: CHANNELS[curve.channel] },
    curve: curve.nodes.map(({ input, output }) => ({
      _obj: "paint",
      horizontal: input,
      vertical: output,
    })),
  };
}

/** Makes the active layer a smart object, a new layer: filters on it stay adjustable. */
export const toSmartObject = (): Descriptor => ({ _obj: "newPlacedLayer" });

/** A filter for the active layer; on a smart object it becomes a Smart Filter. */
export function smartFilter(sharpening: RecipeSharpening): Descriptor {
  const radius = { _unit: "pixelsUnit", _value: sharpening.radius_px };
  if (sharpening.filter === "gaussianBlur") {
    return { _obj: "gaussianBlur", radius };
  }
  const amount = { _unit: "percentUnit", _value: sharpening.amount_percent };
  return { _obj: "unsharpMask", amount, radius, threshold: 0 };
}

/** Lets the active smart object's only filter act in part. */
export const smartFilterOpacity = (percent: number): Descriptor => ({
  _obj: "set",
  _target: [
    { _ref: "filterFX", _index: 1 },
    { _ref: "layer", _enum: "ordinal", _value: "targetEnum" },
  ],
  filterFX: {
    _obj: "filterFX",
    blendOptions: {
      _obj: "blendOptions",
      opacity: { _unit: "percentUnit", _value: percent },
      mode: { _enum: "blendMode", _value: "normal" },
    },
  },
});

export const selectLayer = (id: number): Descriptor => ({
  _obj: "select",
  _target: [{ _ref: "layer", _id: id }],
  makeVisible: false,
});

/** Turns the selection into the active layer's mask; the selection is gone afterwards. */
export const maskFromSelection = (): Descriptor => ({
  _obj: "make",
  new: { _class: "channel" },
  at: MASK,
  using: { _enum: "userMaskEnabled", _value: "revealSelection" },
});

export const selectionFromMask = (layerId: number): Descriptor => ({
  _obj: "set",
  _target: [{ _ref: "channel", _property: "selection" }],
  to: [MASK, { _ref: "layer", _id: layerId }],
});

export const setLayerXmp = (id: number, xmp: string): Descriptor => ({
  _obj: "set",
  _target: [
    { _ref: "property", _property: "XMPMetadataAsUTF8" },
    { _ref: "layer", _id: id },
  ],
  to: { _obj: "layer", XMPMetadataAsUTF8: xmp },
});

export const getLayerXmp = (id: number): Descriptor => ({
  _obj: "get",
  _target: [
    { _ref: "property", _property: "XMPMetadataAsUTF8" },
    { _ref: "layer", _id: id },
  ],
});

export const getDocumentXmp = (id: number): Descriptor => ({
  _obj: "get",
  _target: [
    { _ref: "property", _property: "XMPMetadataAsUTF8" },
    { _ref: "document", _id: id },
  ],
});

/** What the panel does not edit, a sentence each. */

import { BridgeFailure } from "./bridge_client.ts";
import type { Document } from "./hosts.ts";

const refuse = (code: string, message: string, remedy: string): never => {
  throw new BridgeFailure(code, message, remedy);
};

/** Photoshop's name of the kind of layer. */
export const SMART_OBJECT = "smartObject";

export const BITS: Record<string, 8 | 16 | 32> = {
  bitDepth8: 8,
  bitDepth16: 16,
  bitDepth32: 32,
};

/** For a new edit the selected layer counts; an edit that is there already has its own. */
export function checkDocument(
  document: Document | null,
  isNew: boolean,
): asserts document is Document {
  if (!document) {
    return refuse("document", "No document is open.", "Open a photo and select what counts.");
  }
  const mode = String(document.mode);
  if (mode !== "RGBColorMode" && mode !== "RGB") {
    refuse(
      "mode",
      `The document is in ${mode.replace(/Mode$/, "").replace(/Color$/, "")} mode.`,
      "Convert it: Image > Mode > RGB Color.",
    );
  }
  const bits = BITS[String(document.bitsPerChannel)];
  if (bits !== 8 && bits !== 16) {
    refuse(
      "depth",
      "The document does not have 8 or 16 bits per channel.",
      "Convert it: Image > Mode > 8 or 16 Bits/Channel.",
    );
  }
  if (document.artboards.length > 0) {
    refuse("artboard", "The document has artboards.", "Use a document without artboards.");
  }
  if (document.quickMaskMode) {
    refuse("quick-mask", "Quick Mask mode is on.", "Press Q to make a selection of it.");
  }
  for (const layer of isNew ? document.activeLayers : []) {
    checkLayer(layer);
  }
}

function checkLayer(layer: Document["activeLayers"][number]): void {
  if (String(layer.kind) === SMART_OBJECT) {
    refuse(
      "smart-object",
      `The layer "${layer.name}" is a smart object.`,
      "Select an ordinary layer in the Layers panel.",
    );
  }
  // The background layer of a photo is always partly locked; that does not matter here.
  if (layer.allLocked && !layer.isBackgroundLayer) {
    refuse("locked", `The layer "${layer.name}" is locked.`, "Unlock it or select another one.");
  }
  if (!layer.visible) {
    refuse("hidden", `The layer "${layer.name}" is hidden.`, "Show it or select another one.");
  }
}

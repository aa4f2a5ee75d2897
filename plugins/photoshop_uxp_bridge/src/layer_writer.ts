/** Writes an edit as layers: one modal step, one history state, all or nothing. */

import { BridgeFailure, type Picture } from "./bridge_client.ts";
import * as commands from "./descriptors.ts";
import type { Descriptor } from "./descriptors.ts";
import { fromXmp, toXmp } from "./edit_store.ts";
import type { Samples } from "./framing.ts";
import type { Document, PhotoshopModule } from "./hosts.ts";
import type { Edit, Recipe, RecipeLayer } from "./messages.ts";

export const GROUP = "GazeShift";
export const BACKGROUND = "GazeShift background";
export const FOREGROUND = "GazeShift foreground";
export const BASE = "Base";

type Layer = NonNullable<Awaited<ReturnType<Document["createLayerGroup"]>>>;
type Modal = Parameters<Parameters<PhotoshopModule["core"]["executeAsModal"]>[0]>[0];

/** Everything that the layers are made of, fetched before Photoshop is touched. */
export interface Plan {
  edit: Edit;
  recipe: Recipe;
  picture: Picture;
  /** The copy that each region starts from; null where the photo below serves. */
  bases: { foreground: Samples | null; background: Samples | null };
}

/** An edit that is in the document already. */
export interface Existing {
  edit: Edit;
  groupId: number;
  foregroundId: number;
}

/** Runs several changes as one history state; on any error the document is as before. */
export async function asOneStep<Result>(
  ps: PhotoshopModule,
  document: Document,
  name: string,
  keep: boolean,
  work: (modal: Modal) => Promise<Result>,
): Promise<Result> {
  let result: { value: Result } | null = null;
  try {
    await ps.core.executeAsModal(
      async (modal) => {
        const history = await modal.hostControl.suspendHistory({ documentID: document.id, name });
        let isDone = false;
        try {
          result = { value: await work(modal) };
          isDone = true;
        } finally {
          await modal.hostControl.resumeHistory(history, isDone && keep);
        }
      },
      { commandName: name },
    );
  } catch (error) {
    throw explain(error);
  }
  if (result === null) {
    throw new BridgeFailure("photoshop", "Photoshop stopped the step.", "Try again.");
  }
  return (result as { value: Result }).value;
}

function explain(error: unknown): Error {
  if (error instanceof BridgeFailure) {
    return error;
  }
  const { message, number } = error as { message?: string; number?: number };
  if (number === 9 || /modal/i.test(message ?? "")) {
    return new BridgeFailure(
      "modal",
      "Photoshop is busy with a dialog or another tool.",
      "Close the dialog or finish the tool, then try again.",
    );
  }
  return new BridgeFailure("photoshop", `Photoshop reports: ${message ?? String(error)}`, "");
}

export async function play(ps: PhotoshopModule, commandList: Descriptor[]): Promise<Descriptor[]> {
  const answers = await ps.action.batchPlay(commandList, {});
  answers.forEach((answer, k) => {
    // Photoshop resolves with an error object instead of rejecting.
    if (answer._obj === "error") {
      const reason = String(answer["message"] ?? answer["result"] ?? "no reason given");
      const what = commandList[k]?._obj ?? "command";
      throw new BridgeFailure("photoshop", `Photoshop refused "${what}": ${reason}`, "");
    }
  });
  return answers;
}

/** Writes the plan. Call with a selection, or with the edit that it replaces. */
export function writeLayers(
  ps: PhotoshopModule,
  document: Document,
  plan: Plan,
  existing: Existing | null,
): Promise<void> {
  const name = existing ? "Adjust GazeShift edit" : "GazeShift";
  return asOneStep(ps, document, name, true, async () => {
    if (existing) {
      await play(ps, [commands.selectionFromMask(existing.foregroundId)]);
      await layerById(document, existing.groupId).delete();
    }
    const foreground = await group(document, FOREGROUND, "normal");
    // The mask comes first: it uses up the selection, which new layers would take as theirs.
    await play(ps, [commands.selectLayer(foreground.id), commands.maskFromSelection()]);
    const inside = [await pixelLayer(ps, document, plan, plan.bases.foreground)];
    inside.push(...(await adjustments(ps, document, plan.recipe.foreground.layers)));
    await stack(ps, inside, foreground);
    const below: Layer[] = [];
    if (plan.bases.background) {
      below.push(await pixelLayer(ps, document, plan, plan.bases.background));
    }
    below.push(...(await adjustments(ps, document, plan.recipe.background.layers)));
    const groups = [foreground];
    if (below.length > 0) {
      const background = await group(document, BACKGROUND, "passThrough");
      await stack(ps, below, background);
      groups.unshift(background);
    }
    const outer = await group(document, GROUP, "passThrough");
    // New layers land beside the active one, wherever that is; this one belongs on top of all.
    const top = document.layers[0];
    if (top && top.id !== outer.id) {
      await outer.move(top as Layer, ps.constants.ElementPlacement.PLACEBEFORE);
    }
    await stack(ps, groups, outer);
    checkOrder(outer, [groups, ...(groups.length > 1 ? [below, inside] : [inside])]);
    await play(ps, [commands.setLayerXmp(outer.id, toXmp(plan.edit)), commands.selectLayer(outer.id)]);
  });
}

/** Looks for the topmost edit of ours; its file may come from `gazeshift redirect -o x.psd`. */
export async function findExisting(
  ps: PhotoshopModule,
  document: Document,
): Promise<Existing | null> {
  for (const layer of document.layers) {
    if (layer.name !== GROUP || !layer.layers) {
      continue;
    }
    const inner = layer.layers.find((child) => child.name === FOREGROUND);
    const edit =
      (await readXmp(ps, commands.getLayerXmp(layer.id))) ??
      (await readXmp(ps, commands.getDocumentXmp(document.id)));
    if (inner && edit) {
      return { edit, groupId: layer.id, foregroundId: inner.id };
    }
  }
  return null;
}

async function readXmp(ps: PhotoshopModule, command: Descriptor): Promise<Edit | null> {
  const [answer] = await ps.action.batchPlay([command], {});
  const xmp: unknown = answer?.["XMPMetadataAsUTF8"];
  return typeof xmp === "string" ? fromXmp(xmp) : null;
}

export function layerById(document: Document, id: number): Layer {
  const found = document.layers.find((layer) => layer.id === id);
  if (!found) {
    throw new BridgeFailure("layer", "The GazeShift group is gone.", "Apply a new edit.");
  }
  return found as Layer;
}

async function group(
  document: Document,
  name: string,
  blending: "normal" | "passThrough",
): Promise<Layer> {
  const options = { name, blendMode: blending, opacity: 100 };
  return made(await document.createLayerGroup(options as never), name);
}

async function pixelLayer(
  ps: PhotoshopModule,
  document: Document,
  plan: Plan,
  rendered: Samples | null,
): Promise<Layer> {
  const name = rendered ? `${BASE}, sharpened` : BASE;
  const layer = made(await document.createPixelLayer({ name }), name);
  const { width, height, channels, pixels } = plan.picture;
  const imageData = await ps.imaging.createImageDataFromBuffer(rendered ?? pixels, {
    width,
    height,
    components: channels,
    chunky: true,
    colorSpace: "RGB",
    colorProfile: document.colorProfileName,
    fullRange: true,
  });
  try {
    await ps.imaging.putPixels({
      documentID: document.id,
      layerID: layer.id,
      imageData,
      targetBounds: { left: 0, top: 0, right: width, bottom: height },
      replace: true,
    });
  } finally {
    await imageData.dispose();
  }
  return layer;
}

async function adjustments(
  ps: PhotoshopModule,
  document: Document,
  layers: RecipeLayer[],
): Promise<Layer[]> {
  const written: Layer[] = [];
  for (const layer of layers) {
    await play(ps, [commands.makeAdjustment(layer)]);
    written.push(made(document.activeLayers[0] as Layer | undefined, layer.name));
  }
  return written;
}

/** Puts layers into an empty group, the first at the bottom. */
async function stack(ps: PhotoshopModule, layers: Layer[], into: Layer): Promise<void> {
  const { PLACEINSIDE, PLACEBEFORE } = ps.constants.ElementPlacement;
  let below: Layer | null = null;
  for (const layer of layers) {
    // "Before" is above in Photoshop's words; "inside" is certain for the first one only.
    await (below ? layer.move(below, PLACEBEFORE) : layer.move(into, PLACEINSIDE));
    below = layer;
  }
}

/** Photoshop lists layers from top to bottom. */
function checkOrder(outer: Layer, expected: Layer[][]): void {
  const groups = [...(outer.layers ?? [])].reverse();
  const found = [groups, ...groups.map((one) => [...(one.layers ?? [])].reverse())];
  const ids = (tree: { id: number }[][]): string => tree.map((l) => l.map((x) => x.id)).join(";");
  if (ids(found) !== ids(expected)) {
    throw new BridgeFailure(
      "order",
      "Photoshop put the layers in another order.",
      "Nothing was changed. Please send the diagnostics.",
    );
  }
}

function made(layer: Layer | null | undefined, name: string): Layer {
  if (!layer) {
    throw new BridgeFailure("photoshop", `Photoshop did not make the layer "${name}".`, "");
  }
  return layer;
}

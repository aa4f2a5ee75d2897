/** Writes an edit as layers: one modal step, one history state, all or nothing. */

import { BridgeFailure, type Picture } from "./bridge_client.ts";
import * as commands from "./descriptors.ts";
import type { Descriptor } from "./descriptors.ts";
import { profileOf } from "./document_reader.ts";
import { fromXmp, toXmp } from "./edit_store.ts";
import type { Samples } from "./framing.ts";
import type { Document, PhotoshopModule } from "./hosts.ts";
import type { Edit, Recipe, RecipeLayer, RecipeRegion, RecipeSharpening } from "./messages.ts";
import { SMART_OBJECT } from "./refusals.ts";

export const GROUP = "GazeShift";
export const BACKGROUND = "GazeShift background";
export const FOREGROUND = "GazeShift foreground";
export const BASE = "Base";

/** A copy that the core has sharpened, or Photoshop's nearest filter on an unchanged copy. */
export type Sharpening = "rendered" | "smart";

type Layer = NonNullable<Awaited<ReturnType<Document["createLayerGroup"]>>>;
type Modal = Parameters<Parameters<PhotoshopModule["core"]["executeAsModal"]>[0]>[0];

/** Everything that the layers are made of, fetched before Photoshop is touched. */
export interface Plan {
  edit: Edit;
  recipe: Recipe;
  picture: Picture;
  sharpening: Sharpening;
  /** The copies that the core has sharpened; null where there is none. */
  rendered: { foreground: Samples | null; background: Samples | null };
}

/** The layers with Smart Filters that an edit has got; null for a region without. */
export interface SmartLayers {
  foreground: number | null;
  background: number | null;
}

/** What has been written, ready to be adjusted. */
export interface Written {
  existing: Existing;
  smart: SmartLayers;
}

/** An edit that is in the document already. */
export interface Existing {
  edit: Edit;
  groupId: number;
  foregroundId: number;
  sharpening: Sharpening;
}

/** Runs several changes as one history state; on any error the document is as before. */
export async function asOneStep<Result>(
  ps: PhotoshopModule,
  document: Document,
  name: string,
  keep: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: { value: Result } | null = null;
  let isCancelled = false;
  try {
    await ps.core.executeAsModal(
      async (modal) => {
        try {
          result = { value: await inHistory(modal, document, name, keep, work) };
        } catch (error) {
          isCancelled = modal.isCancelled;
          throw error;
        }
      },
      { commandName: name },
    );
  } catch (error) {
    throw isCancelled ? cancelled() : explain(error);
  }
  if (result === null) {
    throw new BridgeFailure("photoshop", "Photoshop stopped the step.", "Try again.");
  }
  return (result as { value: Result }).value;
}

async function inHistory<Result>(
  { hostControl }: Modal,
  document: Document,
  name: string,
  keep: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  const history = await hostControl.suspendHistory({ documentID: document.id, name });
  let value: Result;
  try {
    value = await work();
  } catch (error) {
    // A step that was cancelled takes no commands any more; Photoshop then undoes it by itself.
    await hostControl.resumeHistory(history, false).catch(() => undefined);
    throw error;
  }
  await hostControl.resumeHistory(history, keep);
  return value;
}

const cancelled = (): BridgeFailure =>
  new BridgeFailure("cancelled", "You cancelled it.", "The document is as it was.");

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
): Promise<Written> {
  const name = existing ? "Adjust GazeShift edit" : "GazeShift";
  return asOneStep(ps, document, name, true, async () => {
    if (existing) {
      await play(ps, [commands.selectionFromMask(existing.foregroundId)]);
      await layerById(document, existing.groupId).delete();
    }
    const foreground = await group(document, FOREGROUND, "normal");
    // The mask comes first: it uses up the selection, which new layers would take as theirs.
    await play(ps, [commands.selectLayer(foreground.id), commands.maskFromSelection()]);
    const base =
      (await startOf(ps, document, plan, "foreground")) ??
      (await pixelLayer(ps, document, plan.picture, BASE));
    const inside = [base];
    inside.push(...(await adjustments(ps, document, plan.recipe.foreground.layers)));
    await stack(ps, inside, foreground);
    const copy = await startOf(ps, document, plan, "background");
    const below = copy ? [copy] : [];
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
    return {
      existing: {
        edit: plan.edit,
        groupId: outer.id,
        foregroundId: foreground.id,
        sharpening: plan.sharpening,
      },
      smart: { foreground: smartId(base), background: smartId(copy) },
    };
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
      const all = layer.layers.flatMap((child) => [...(child.layers ?? [])]);
      const sharpening = all.some(isSmart) ? "smart" : "rendered";
      return { edit, groupId: layer.id, foregroundId: inner.id, sharpening };
    }
  }
  return null;
}

async function readXmp(ps: PhotoshopModule, command: Descriptor): Promise<Edit | null> {
  const [answer] = await ps.action.batchPlay([command], {});
  const xmp: unknown = answer?.["XMPMetadataAsUTF8"];
  return typeof xmp === "string" ? fromXmp(xmp) : null;
}

/** Whether an edit's group is still there: the user may have undone or deleted it. */
export const isThere = (document: Document, { groupId }: Existing): boolean =>
  document.layers.some((layer) => layer.id === groupId);

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

const isSmart = (layer: { kind: unknown }): boolean => String(layer.kind) === SMART_OBJECT;

const smartId = (layer: Layer | null): number | null => (layer && isSmart(layer) ? layer.id : null);

/** Makes the sharpened copy that a region starts from; null if nothing is sharpened. */
async function startOf(
  ps: PhotoshopModule,
  document: Document,
  plan: Plan,
  region: "foreground" | "background",
): Promise<Layer | null> {
  const { sharpening }: RecipeRegion = plan.recipe[region];
  if (!sharpening) {
    return null;
  }
  if (plan.sharpening === "smart") {
    return filteredLayer(ps, document, plan.picture, sharpening);
  }
  const pixels = plan.rendered[region];
  if (!pixels) {
    throw new Error(`The sharpened copy of the ${region} is missing.`);
  }
  return pixelLayer(ps, document, { ...plan.picture, pixels }, `${BASE}, sharpened`);
}

/** Makes a copy of the picture whose sharpening is a Smart Filter. */
async function filteredLayer(
  ps: PhotoshopModule,
  document: Document,
  picture: Picture,
  sharpening: RecipeSharpening,
): Promise<Layer> {
  const name = `${BASE}, Smart Filter`;
  const plain = await pixelLayer(ps, document, picture, name);
  // The selection is used up: a filter would take it as its mask.
  await play(ps, [commands.selectLayer(plain.id), commands.toSmartObject()]);
  const smart = made(document.activeLayers[0] as Layer | undefined, name);
  if (!isSmart(smart)) {
    throw new BridgeFailure("photoshop", "Photoshop made no smart object.", "");
  }
  await play(ps, [commands.smartFilter(sharpening)]);
  if (sharpening.opacity_percent < 100) {
    await play(ps, [commands.smartFilterOpacity(sharpening.opacity_percent)]);
  }
  return smart;
}

async function pixelLayer(
  ps: PhotoshopModule,
  document: Document,
  { width, height, channels, pixels }: Picture,
  name: string,
): Promise<Layer> {
  const layer = made(await document.createPixelLayer({ name }), name);
  const profile = profileOf(document);
  const imageData = await ps.imaging.createImageDataFromBuffer(pixels, {
    width,
    height,
    components: channels,
    chunky: true,
    colorSpace: "RGB",
    fullRange: true,
    // Without a name the pixels are in the document's own colours.
    ...(profile === null ? {} : { colorProfile: profile }),
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

/** What the panel does, free of its widgets: read, predict, apply, check. */

import type { Attention, BridgeClient, Picture } from "./bridge_client.ts";
import {
  proxySize,
  readProxy,
  readSelection,
  readWhole,
  shrinkMask,
  sizeOf,
  SRGB,
} from "./document_reader.ts";
import type { Samples } from "./framing.ts";
import type { Document, PhotoshopModule } from "./hosts.ts";
import { asOneStep, type Existing, findExisting, layerById, play, writeLayers } from "./layer_writer.ts";
import { selectionFromMask } from "./descriptors.ts";
import type { Edit, Prediction, RecipeRegion } from "./messages.ts";
import { checkDocument } from "./refusals.ts";
import { type Check, compare } from "./self_check.ts";

/** What was seen in the document, and what the networks say about it. */
export interface Scene {
  documentId: number;
  proxy: Picture;
  proxyMask: Uint8Array;
  prediction: Prediction;
  shareBefore: number;
  existing: Existing | null;
  warnings: string[];
}

export interface Applied {
  check: Check;
  edit: Edit;
}

export const STRENGTHS = [-1.5, -1.25, -1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5];

export class Session {
  constructor(
    private readonly ps: PhotoshopModule,
    private readonly bridge: BridgeClient,
  ) {}

  /** Reads the document as it is without our edit, and predicts. */
  async look(style: number, reopen: boolean): Promise<Scene> {
    const document = this.document();
    const existing = reopen ? await findExisting(this.ps, document) : null;
    const { proxy, mask } = await this.read(document, existing, readProxy);
    const size = proxySize(sizeOf(document));
    const proxyMask = shrinkMask(mask, sizeOf(document), size);
    const answer = await this.bridge.predict(proxy, proxyMask, style, STRENGTHS);
    const [prediction] = answer.predictions;
    if (!prediction) {
      throw new Error("The bridge gave no prediction.");
    }
    return {
      documentId: document.id,
      proxy,
      proxyMask,
      prediction: existing ? withStored(prediction, existing.edit) : prediction,
      shareBefore: answer.share_before,
      existing,
      warnings: [...answer.warnings, ...profileWarnings(document)],
    };
  }

  /** Writes the edit as layers, then compares Photoshop's picture with the core's. */
  async apply(scene: Scene, strength: number): Promise<Applied> {
    const document = this.document();
    const edit = editAt(scene, strength);
    const { proxy: whole, mask } = await this.read(document, scene.existing, readWhole);
    const recipe = await this.bridge.recipe(edit, whole.width, whole.height);
    const [foreground, background] = await this.bases(whole, edit, [
      recipe.foreground,
      recipe.background,
    ]);
    const [expected] = await this.bridge.render(whole, mask, edit, ["result"]);
    const plan = {
      edit,
      recipe,
      picture: whole,
      bases: { foreground: foreground ?? null, background: background ?? null },
    };
    await writeLayers(this.ps, document, plan, scene.existing);
    const shown = await this.modal(document, () => readWhole(this.ps, document));
    return { edit, check: compare(shown, expected as Samples, whole.channels) };
  }

  /** Where people look before and after, on the small copy. */
  async attention(scene: Scene, strength: number): Promise<{ before: Attention; after: Attention }> {
    const before = await this.bridge.attention(scene.proxy, scene.proxyMask);
    const edit = editAt(scene, strength);
    const [pixels] = await this.bridge.render(scene.proxy, scene.proxyMask, edit, ["result"]);
    const after = { ...scene.proxy, pixels: pixels as Samples };
    return { before, after: await this.bridge.attention(after, scene.proxyMask) };
  }

  private document(): Document {
    const document = this.ps.app.activeDocument as Document | null;
    checkDocument(document);
    return document;
  }

  /** Sharpened copies, for the regions that are sharpened. */
  private async bases(
    whole: Picture,
    edit: Edit,
    regions: readonly [RecipeRegion, RecipeRegion],
  ): Promise<(Samples | null)[]> {
    const names = ["foreground", "background"] as const;
    const parts = names.filter((_, k) => regions[k]?.sharpening);
    if (parts.length === 0) {
      return [null, null];
    }
    const rendered = await this.bridge.render(whole, null, edit, parts, ["sharpening"]);
    return names.map((name) => {
      const k = parts.indexOf(name);
      return k < 0 ? null : (rendered[k] ?? null);
    });
  }

  /** Reads pixels and mask; for an existing edit as if it were not there. */
  private async read(
    document: Document,
    existing: Existing | null,
    readPixels: (ps: PhotoshopModule, document: Document) => Promise<Picture>,
  ): Promise<{ proxy: Picture; mask: Uint8Array }> {
    if (!existing) {
      return this.modal(document, async () => ({
        mask: await readSelection(this.ps, document),
        proxy: await readPixels(this.ps, document),
      }));
    }
    // Undone at the end: the history shows nothing of it.
    return asOneStep(this.ps, document, "Read GazeShift edit", false, async () => {
      await play(this.ps, [selectionFromMask(existing.foregroundId)]);
      const mask = await readSelection(this.ps, document);
      layerById(document, existing.groupId).visible = false;
      return { mask, proxy: await readPixels(this.ps, document) };
    });
  }

  private async modal<Result>(document: Document, work: () => Promise<Result>): Promise<Result> {
    return asOneStep(this.ps, document, "Read picture", false, work);
  }
}

/** A reopened edit keeps its own numbers; only the other direction is predicted anew. */
const withStored = (prediction: Prediction, stored: Edit): Prediction => ({
  ...prediction,
  [stored.direction]: { ...stored, strength: 1 },
});

/** The dial: the right of zero attracts, the left diverts. */
export function editAt(scene: Scene, strength: number): Edit {
  const edit = strength >= 0 ? scene.prediction.attract : scene.prediction.divert;
  const share = scene.prediction.shares.find((one) => one.strength === strength)?.share ?? null;
  return { ...edit, strength: Math.abs(strength), share_after: share };
}

function profileWarnings(document: Document): string[] {
  const name = document.colorProfileName;
  return !name || name.startsWith("sRGB")
    ? []
    : [`The document's profile is ${name}: the networks saw a copy converted to ${SRGB}.`];
}

/** What the panel does, free of its widgets: read, predict, apply, check. */

import { type Attention, type BridgeClient, BridgeFailure, type Picture } from "./bridge_client.ts";
import {
  profileOf,
  proxySize,
  readLayer,
  readProxy,
  readSelection,
  readWhole,
  shrinkMask,
  sizeOf,
  SRGB,
  withoutAlpha,
} from "./document_reader.ts";
import type { Samples } from "./framing.ts";
import type { Document, PhotoshopModule } from "./hosts.ts";
import {
  asOneStep,
  type Existing,
  findExisting,
  isThere,
  layerById,
  type Plan,
  play,
  type Sharpening,
  type SmartLayers,
  writeLayers,
} from "./layer_writer.ts";
import { selectionFromMask } from "./descriptors.ts";
import type { Edit, Prediction, Recipe } from "./messages.ts";
import { checkDocument } from "./refusals.ts";
import { blend, type Check, judge, measure } from "./self_check.ts";
import { Shares } from "./shares.ts";

/** What was seen in the document, and what the networks say about it. */
export interface Scene {
  documentId: number;
  proxy: Picture;
  proxyMask: Uint8Array;
  prediction: Prediction;
  shares: Shares;
  existing: Existing | null;
  warnings: string[];
}

/** How a scene is looked at. */
export interface Looking {
  style: number;
  /** Whether to take up the edit that is in the document. */
  reopen: boolean;
  /** Whether that edit's own numbers count; otherwise it is predicted anew. */
  keepNumbers: boolean;
}

/** Positions whose shares come with the prediction; others are measured when they are visited. */
export const STRENGTHS = [-1.5, -1, -0.5, 0.5, 1, 1.5];

export class Session {
  constructor(
    private readonly ps: PhotoshopModule,
    private readonly bridge: BridgeClient,
  ) {}

  /** Reads the document as it is without our edit, and predicts. */
  async look({ style, reopen, keepNumbers }: Looking): Promise<Scene> {
    const document = this.document(!reopen);
    const existing = reopen ? await findExisting(this.ps, document) : null;
    if (reopen && !existing) {
      throw new BridgeFailure(
        "existing",
        "This document holds no GazeShift edit.",
        "Select something and press Read selection.",
      );
    }
    const { proxy, mask } = await this.read(document, existing, readProxy);
    const size = proxySize(sizeOf(document));
    const proxyMask = shrinkMask(mask, sizeOf(document), size);
    const answer = await this.bridge.predict(proxy, proxyMask, style, STRENGTHS);
    const [prediction] = answer.predictions;
    if (!prediction) {
      throw new Error("The bridge gave no prediction.");
    }
    const stored = existing && keepNumbers ? existing.edit : null;
    const shares = new Shares(answer.share_before);
    for (const { strength, share } of prediction.shares) {
      // The stored edit's shares are its own, and not known yet.
      if (!stored || strength > 0 !== (stored.direction === "attract")) {
        shares.set(strength, share);
      }
    }
    return {
      documentId: document.id,
      proxy,
      proxyMask,
      prediction: stored ? withStored(prediction, stored) : prediction,
      shares,
      existing,
      warnings: [...answer.warnings, ...profileWarnings(document)],
    };
  }

  /** Whether the scene is still what is open in Photoshop, with the edit that it adjusts. */
  isCurrent(scene: Scene): boolean {
    const document = this.ps.app.activeDocument as Document | null;
    return (
      document?.id === scene.documentId && (!scene.existing || isThere(document, scene.existing))
    );
  }

  /**
   * Writes the edit as layers, then compares Photoshop's picture with the core's. From then on the
   * scene adjusts what was written.
   */
  async apply(scene: Scene, strength: number, sharpening: Sharpening): Promise<Check> {
    const document = this.document(!scene.existing);
    if (!scene.shares.has(strength)) {
      await this.attentionAfter(scene, strength);
    }
    const edit = editAt(scene, strength);
    const { proxy: whole, mask } = await this.read(document, scene.existing, readWhole);
    const recipe = await this.bridge.recipe(edit, whole.width, whole.height);
    const isSmart = sharpening === "smart";
    const rendered = isSmart ? NO_COPIES : await this.sharpened(whole, edit, recipe);
    const [expected] = await this.bridge.render(whole, mask, edit, ["result"]);
    const plan = { edit, recipe, picture: whole, sharpening, rendered };
    const written = await writeLayers(this.ps, document, plan, scene.existing);
    scene.existing = written.existing;
    try {
      return await this.check(document, plan, mask, expected as Samples, written.smart);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new BridgeFailure(
        "check",
        `Applied, but what Photoshop shows could not be checked: ${reason}`,
        "Edit > Undo takes the edit back.",
      );
    }
  }

  private async check(
    document: Document,
    { edit, recipe, picture: whole }: Plan,
    mask: Uint8Array,
    expected: Samples,
    smart: SmartLayers,
  ): Promise<Check> {
    const { shown, bases } = await this.readBack(document, smart);
    const whatShows = measure(shown, expected, whole.channels);
    if (!bases.foreground && !bases.background) {
      return judge(whatShows, null);
    }
    const plain = withoutAlpha(whole);
    const operators = [...recipe.foreground.layers, ...recipe.background.layers].map(
      (layer) => layer.operator,
    );
    const [inside] = await this.bridge.render(
      bases.foreground ?? plain, null, edit, ["foreground"], operators,
    );
    const [outside] = await this.bridge.render(
      bases.background ?? plain, null, edit, ["background"], operators,
    );
    const fromFilters = blend(inside as Samples, outside as Samples, mask);
    return judge(measure(shown, fromFilters, 3), whatShows);
  }

  /** Where people look before the edit, on the small copy. */
  attentionBefore(scene: Scene): Promise<Attention> {
    return this.bridge.attention(scene.proxy, scene.proxyMask);
  }

  /** The same after the edit; notes the share. */
  async attentionAfter(scene: Scene, strength: number): Promise<Attention> {
    const edit = editAt(scene, strength);
    const [pixels] = await this.bridge.render(scene.proxy, scene.proxyMask, edit, ["result"]);
    const after = { ...scene.proxy, pixels: pixels as Samples };
    const attention = await this.bridge.attention(after, scene.proxyMask);
    if (attention.share !== null) {
      scene.shares.set(strength, attention.share);
    }
    return attention;
  }

  private document(isNew: boolean): Document {
    const document = this.ps.app.activeDocument as Document | null;
    checkDocument(document, isNew);
    return document;
  }

  /** The core's sharpened copies, for the regions that are sharpened. */
  private async sharpened(whole: Picture, edit: Edit, recipe: Recipe): Promise<Copies> {
    const parts = (["foreground", "background"] as const).filter((part) => recipe[part].sharpening);
    if (parts.length === 0) {
      return NO_COPIES;
    }
    const rendered = await this.bridge.render(whole, null, edit, parts, ["sharpening"]);
    const entries = parts.map((part, k) => [part, rendered[k] ?? null]);
    return { ...NO_COPIES, ...(Object.fromEntries(entries) as Partial<Copies>) };
  }

  private readBack(document: Document, layers: SmartLayers): Promise<ReadBack> {
    const base = async (id: number | null): Promise<Picture | null> =>
      id === null ? null : readLayer(this.ps, document, id);
    return asOneStep(this.ps, document, "Check GazeShift edit", false, async () => ({
      shown: await readWhole(this.ps, document),
      bases: {
        foreground: await base(layers.foreground),
        background: await base(layers.background),
      },
    }));
  }

  /** Reads pixels and mask; for an existing edit as if it were not there. */
  private async read(
    document: Document,
    existing: Existing | null,
    readPixels: (ps: PhotoshopModule, document: Document) => Promise<Picture>,
  ): Promise<{ proxy: Picture; mask: Uint8Array }> {
    if (!existing) {
      return asOneStep(this.ps, document, "Read picture", false, async () => ({
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
}

interface Copies {
  foreground: Samples | null;
  background: Samples | null;
}

interface ReadBack {
  shown: Picture;
  bases: { foreground: Picture | null; background: Picture | null };
}

const NO_COPIES: Copies = { foreground: null, background: null };

/** A reopened edit keeps its own numbers; only the other direction is predicted anew. */
const withStored = (prediction: Prediction, stored: Edit): Prediction => ({
  ...prediction,
  [stored.direction]: { ...stored, strength: 1 },
});

/** The dial: the right of zero attracts, the left diverts. */
export function editAt(scene: Scene, strength: number): Edit {
  const edit = strength >= 0 ? scene.prediction.attract : scene.prediction.divert;
  const share = scene.shares.measured(strength);
  return { ...edit, strength: Math.abs(strength), share_after: share };
}

function profileWarnings(document: Document): string[] {
  const name = profileOf(document);
  if (name === null) {
    return [`The document has no profile: the networks saw a copy as Photoshop shows it in ${SRGB}.`];
  }
  return name.startsWith("sRGB")
    ? []
    : [`The document's profile is ${name}: the networks saw a copy converted to ${SRGB}.`];
}

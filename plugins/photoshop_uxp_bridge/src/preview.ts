/** The edited picture in the panel: the bridge keeps it and redraws it while the dial moves. */

import { type BridgeClient, BridgeFailure, type Picture } from "./bridge_client.ts";
import { fitInto, shrinkMask, shrinkPicture } from "./document_reader.ts";
import { toAddress } from "./encoded_pictures.ts";
import type { PhotoshopModule } from "./hosts.ts";
import type { Edit } from "./messages.ts";

/** Twice the panel's usual width, for dense screens. */
export const PREVIEW_SIDE = 512;

/** Addresses that an image element can show. */
export interface Shown {
  before: string;
  after: string;
}

/** Draws one picture; while a drawing is on its way only the latest wish is kept. */
export class Preview {
  private readonly picture: Picture;
  private readonly mask: Uint8Array;
  private name: string | null = null;
  private before = "";
  private wanted: Edit | null = null;
  private work: Promise<void> | null = null;
  private isClosed = false;

  /**
   * @param proxy The picture without the edit, 8 bits.
   * @param mask Its mask, of the same size.
   * @param show Called with every picture that has been drawn.
   */
  constructor(
    private readonly ps: PhotoshopModule,
    private readonly bridge: BridgeClient,
    proxy: Picture,
    mask: Uint8Array,
    private readonly show: (shown: Shown) => void,
  ) {
    const size = fitInto(proxy, PREVIEW_SIDE);
    this.picture = shrinkPicture(proxy, size);
    this.mask = shrinkMask(mask, proxy, size);
  }

  get size(): { width: number; height: number } {
    return this.picture;
  }

  /** Draws an edit, or the one that is asked for after it; settles when nothing is left to draw. */
  draw(edit: Edit): Promise<void> {
    this.wanted = edit;
    this.work ??= this.drawWanted();
    return this.work;
  }

  /** Lets the bridge forget the picture. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.wanted = null;
    await this.work?.catch(() => undefined);
    if (this.name !== null) {
      await this.bridge.closePreview(this.name);
    }
  }

  private async drawWanted(): Promise<void> {
    try {
      while (this.wanted) {
        const edit = this.wanted;
        this.wanted = null;
        const pixels = await this.drawn(edit);
        this.before ||= await toAddress(this.ps, this.picture);
        const after = await toAddress(this.ps, { ...this.picture, pixels });
        if (!this.isClosed) {
          this.show({ before: this.before, after });
        }
      }
    } finally {
      this.work = null;
    }
  }

  private async drawn(edit: Edit): Promise<Uint8Array> {
    const isOpen = this.name !== null;
    this.name ??= await this.bridge.openPreview(this.picture, this.mask);
    try {
      return await this.bridge.drawPreview(this.name, edit);
    } catch (error) {
      // The bridge closes what was not used for a while, and has nothing open after a restart.
      if (!isOpen || !(error instanceof BridgeFailure) || error.code !== "preview") {
        throw error;
      }
      this.name = await this.bridge.openPreview(this.picture, this.mask);
      return this.bridge.drawPreview(this.name, edit);
    }
  }
}

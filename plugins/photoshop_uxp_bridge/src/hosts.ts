/** What Photoshop and UXP give the panel. Everything reaches them through here. */

import type * as Photoshop from "photoshop";

export type PhotoshopModule = typeof Photoshop;
export type Document = NonNullable<PhotoshopModule["app"]["activeDocument"]>;

/** The part of UXP's published API that the panel uses. */
export interface UxpModule {
  storage: {
    secureStorage: {
      getItem(key: string): Promise<Uint8Array | null>;
      setItem(key: string, value: string): Promise<void>;
      removeItem(key: string): Promise<void>;
    };
  };
  host: { name: string; version: string };
  versions: { uxp: string; plugin: string };
}

declare const require: (name: string) => unknown;

export const photoshop = (): PhotoshopModule => require("photoshop") as PhotoshopModule;
export const uxp = (): UxpModule => require("uxp") as UxpModule;

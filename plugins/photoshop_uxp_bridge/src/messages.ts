/** The bridge's answers, as core/gazeshift/bridge/openapi.json describes them. */

export interface Edit {
  format: string;
  direction: "attract" | "divert";
  strength: number;
  model: string | null;
  share_before: number | null;
  share_after: number | null;
  [other: string]: unknown;
}

export interface Identity {
  name: string;
  protocol: number;
  version: string;
}

export interface Style {
  number: number;
  label: string;
}

export interface Operators {
  styles: Style[];
  strength_minimum: number;
  strength_maximum: number;
  model: string | null;
  problem: { message: string; hint: string } | null;
}

export interface Prediction {
  style: number;
  attract: Edit;
  divert: Edit;
  attract_share: number;
  divert_share: number;
  shares: { strength: number; share: number }[];
}

export interface PredictAnswer {
  model: string | null;
  share_before: number;
  predictions: Prediction[];
  warnings: string[];
}

export interface Curve {
  channel: "composite" | "red" | "green" | "blue";
  nodes: { input: number; output: number }[];
}

export interface RecipeLayer {
  operator: string;
  name: string;
  kind: "exposure" | "curves";
  exposure: number | null;
  curves: Curve[];
}

/** What comes closest among Photoshop's filters. */
export interface RecipeSharpening {
  name: string;
  amount: number;
  filter: "unsharpMask" | "gaussianBlur";
  radius_px: number;
  amount_percent: number | null;
  opacity_percent: number;
}

export interface RecipeRegion {
  sharpening: RecipeSharpening | null;
  layers: RecipeLayer[];
}

export interface Recipe {
  strength: number;
  foreground: RecipeRegion;
  background: RecipeRegion;
}

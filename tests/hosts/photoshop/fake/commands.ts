/** Adjustment layers and units of commands: whatever is wrong with them is refused. */

export interface Descriptor { _obj: string; [key: string]: any }

export function refuse(message: string): never {
  throw { refusal: message };
}

const CHANNELS: Record<string, string> = { composite: "rgb", red: "red", grain: "green", blue: "blue" };

export function adjustmentOf(type: Descriptor): any {
  if (type.presetKind?._value !== "presetKindCustom") refuse("presetKind");
  if (type._obj === "exposure") {
    if (typeof type.exposure !== "number" || Math.abs(type.exposure) > 20) refuse("exposure");
    if (type.offset !== 0 || type.gammaCorrection !== 1) refuse("offset or gammaCorrection");
    return { type: "exposure", exposure: type.exposure, offset: 0, gamma: 1 };
  }
  if (type._obj !== "curves") refuse(`adjustment ${type._obj}`);
  const curves: any = { type: "curves" };
  for (const one of type.adjustment) {
    const channel = CHANNELS[one.channel?._value];
    if (one._obj !== "curvesAdjustment" || !channel || channel in curves) refuse("channel");
    if (one.curve.length < 2 || one.curve.length > 14) refuse("2 to 14 nodes are allowed");
    let last = -1;
    for (const node of one.curve) {
      const { horizontal: x, vertical: y } = node;
      if (node._obj !== "paint" || !Number.isInteger(x) || !Number.isInteger(y)) refuse("node");
      if (x <= last || x > 255 || y < 0 || y > 255) refuse("nodes must ascend and lie in 0 to 255");
      last = x;
    }
    curves[channel as string] = one.curve.map((node: any) => ({ input: node.horizontal, output: node.vertical }));
  }
  return curves;
}

export const hasUnit = (value: any, unit: string, least: number, most: number): boolean =>
  value?._unit === unit && typeof value._value === "number" && value._value >= least && value._value <= most;

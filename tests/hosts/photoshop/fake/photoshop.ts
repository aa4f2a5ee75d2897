/**
 * A strict stand-in for `require("photoshop")` and `require("uxp")`, with real Photoshop files.
 *
 * Strict: changes outside executeAsModal throw, unknown or wrong commands answer with an error
 * object, curves need sorted nodes and at most 14 of them, the selection comes as its own bounding
 * box, new adjustment layers take an active selection as their mask, a smart object is a new layer
 * with a new number, filters on pixels are refused. Pixels with 16 bits run from 0 to 32768. What all
 * layers together look like is not computed here: the test renders the file with the independent
 * reader.
 */
import { adjustmentOf, type Descriptor, hasUnit, refuse } from "./commands.ts";
import { toFiles } from "./files.ts";
import {
  boundsOf, depth, fromBase64, height, type Samples, samplesFrom, setup, shrink, toFull, toOwn, width, withDepth,
} from "./samples.ts";
import { secrets, uxp } from "./uxp.ts";

interface Filter { type: string; settings: any; opacity: number }
interface Mask { left: number; top: number; width: number; height: number; data: Uint8Array }

let isModal = false;
let isSuspended = false;
let nextId = 10;
let selection: Uint8Array | null = setup.mask ? fromBase64(setup.mask) : null;
const history: string[] = [];
const undoable: (() => void)[] = [];

/** Which call of which step fails, and how: an error object or a rejection, or a cancelling user. */
interface Mishap { step: string; call: number; how: "error" | "reject" | "cancel" }
let mishap: Mishap | null = null;
let stepName = "";
let calls = 0;
let isCancelled = false;

function count(what: string): void {
  if (isCancelled) {
    throw new Error(`${what} after the user has cancelled`);
  }
  if (!isModal || stepName !== mishap?.step) {
    return;
  }
  calls += 1;
  if (calls === mishap.call) {
    isCancelled = mishap.how === "cancel";
    throw mishap.how === "error" ? { refusal: "made to fail", message: "made to fail" } : new Error("made to fail");
  }
}

const mustBeModal = (what: string): void => {
  count(what);
  if (!isModal || !isSuspended) {
    throw Object.assign(new Error(`${what} is allowed in a modal state with suspended history only`), { number: 9 });
  }
};

export class Layer {
  id = nextId++;
  opacity = 100;
  allLocked = false;
  isBackgroundLayer = false;
  layers: Layer[] | undefined;
  parent: Layer | null = null;
  pixels: { data: Samples; components: number } | null = null;
  filters: Filter[] = [];
  mask: Mask | null = null;
  adjustment: any = null;
  xmp = "";
  blendMode = "normal";
  private shown = true;

  constructor(public name: string, public kind: string) {
    if (kind === "group") {
      this.layers = [];
    }
  }

  get visible(): boolean {
    return this.shown;
  }

  set visible(shown: boolean) {
    mustBeModal("visible");
    this.shown = shown;
  }

  copy(parent: Layer | null): Layer {
    const made = Object.assign(Object.create(Layer.prototype), this) as Layer;
    made.parent = parent;
    made.layers = this.layers?.map((layer) => layer.copy(made));
    made.filters = this.filters.map((filter) => ({ ...filter }));
    return made;
  }

  siblings(): Layer[] {
    return this.parent?.layers ?? state.layers;
  }

  private take(): void {
    const siblings = this.siblings();
    siblings.splice(siblings.indexOf(this), 1);
  }

  async move(target: Layer, placement: string): Promise<void> {
    mustBeModal("move");
    if (all([this]).includes(target)) {
      throw new Error("a layer cannot move into itself");
    }
    if (placement === "placeInside") {
      if (!target.layers || target.layers.length > 0) {
        throw new Error("Where 'inside' a filled group a layer lands is not documented.");
      }
      this.take();
      target.layers.push(this);
      this.parent = target;
      return;
    }
    if (placement !== "placeBefore") {
      throw new Error(`placement ${placement}`);
    }
    this.take();
    const siblings = target.siblings();
    siblings.splice(siblings.indexOf(target), 0, this);
    this.parent = target.parent;
  }

  async delete(): Promise<void> {
    mustBeModal("delete");
    this.take();
  }
}

const state: { layers: Layer[]; active: Layer[] } = { layers: [], active: [] };
const photo = new Layer("Background", "pixel");
photo.pixels = { data: samplesFrom(setup.pixels), components: 3 };
photo.isBackgroundLayer = true;
photo.allLocked = true;
Object.assign(photo, setup.options.layer ?? {});
state.layers = [photo];
state.active = [photo];

const all = (layers: Layer[]): Layer[] => layers.flatMap((one) => [one, ...all(one.layers ?? [])]);
const byId = (id: number): Layer => {
  const found = all(state.layers).find((layer) => layer.id === id);
  if (!found) {
    throw new Error(`no layer ${id}`);
  }
  return found;
};

/** New layers go above the active one, or on top of an active group: into the same list. */
function insert(layer: Layer): Layer {
  const active = state.active[0];
  const siblings = active ? active.siblings() : state.layers;
  siblings.splice(active ? siblings.indexOf(active) : 0, 0, layer);
  layer.parent = active ? active.parent : null;
  state.active = [layer];
  return layer;
}

const fullMask = (data: Uint8Array): Mask => ({ left: 0, top: 0, width, height, data: data.slice() });

const documentObject = {
  id: 1,
  width,
  height,
  mode: "RGBColorMode",
  bitsPerChannel: depth === 16 ? "bitDepth16" : "bitDepth8",
  artboards: [],
  colorProfileName: "sRGB IEC61966-2.1",
  colorProfileType: "workingSpaceCode",
  quickMaskMode: false,
  selection: { get bounds() { return selection ? boundsOf(selection) : null; } },
  get layers() { return state.layers; },
  get activeLayers() { return state.active; },
  async createLayerGroup(options: any): Promise<Layer> {
    mustBeModal("createLayerGroup");
    if (options.fromLayers?.length) {
      throw new Error("fromLayers is not used by the panel");
    }
    const group = new Layer(options.name, "group");
    group.blendMode = options.blendMode;
    return insert(group);
  },
  async createPixelLayer(options: any): Promise<Layer> {
    mustBeModal("createPixelLayer");
    return insert(new Layer(options.name, "pixel"));
  },
  ...(setup.options.document ?? {}),
};

class ImageData {
  private isGone = false;
  readonly componentSize: 8 | 16;
  /** The data is in Photoshop's own scale. */
  constructor(readonly width: number, readonly height: number, readonly components: number, private data: Samples) {
    this.componentSize = data instanceof Uint16Array ? 16 : 8;
    live.add(this);
  }
  async getData(options: any): Promise<Samples> {
    if (this.isGone) {
      throw new Error("disposed image data");
    }
    if (!options?.chunky || !options.fullRange) {
      throw new Error("ask for chunky, full-range data");
    }
    return toFull(this.data);
  }
  read(): Samples { return this.data; }
  async dispose(): Promise<void> {
    this.isGone = true;
    live.delete(this);
  }
}
const live = new Set<ImageData>();

const render = async (layers: Layer[]): Promise<Samples> =>
  samplesFrom(await window.renderFile(toFiles(layers)));

/** A photo without layers of ours needs no renderer. */
async function composite(): Promise<Samples> {
  const shown = state.layers.filter((layer) => layer.visible);
  if (shown.length === 1 && shown[0]?.pixels) {
    return shown[0].pixels.data;
  }
  return render(state.layers);
}

const imaging = {
  async getPixels(options: any) {
    count("getPixels");
    if (options.componentSize !== 8 && options.componentSize !== depth) {
      throw new Error(`this document has ${depth} bits`);
    }
    const data = withDepth(
      options.layerID === undefined ? await composite() : await render([byId(options.layerID)]),
      options.componentSize,
    );
    const size = options.targetSize ?? { width, height };
    const whole = size.width === width && size.height === height;
    const imageData = new ImageData(size.width, size.height, 3, whole ? data : shrink(data, 3, size));
    return { imageData, sourceBounds: { left: 0, top: 0, right: width, bottom: height }, level: 0 };
  },
  async getSelection() {
    count("getSelection");
    if (!selection) {
      throw new Error("No selection");
    }
    const { left, top, right, bottom } = boundsOf(selection);
    const data = new Uint8Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) {
      data.set(selection.subarray(y * width + left, y * width + right), (y - top) * (right - left));
    }
    return { imageData: new ImageData(right - left, bottom - top, 1, data), sourceBounds: { left, top, right, bottom } };
  },
  async createImageDataFromBuffer(data: Samples, options: any) {
    count("createImageDataFromBuffer");
    if (data.length !== options.width * options.height * options.components) {
      throw new Error("the buffer does not fit its size");
    }
    if (options.colorProfile === "None" || options.colorProfile === null) {
      throw new Error("no such profile");
    }
    if (!options.colorSpace || !options.chunky) {
      throw new Error("colour space and chunky are needed");
    }
    if (data instanceof Uint16Array && !options.fullRange && data.some((value) => value > 32768)) {
      throw new Error("without fullRange 16 bits run from 0 to 32768");
    }
    const own = options.fullRange ? toOwn(data) : data.slice();
    return new ImageData(options.width, options.height, options.components, own);
  },
  async putPixels(options: any) {
    mustBeModal("putPixels");
    const layer = byId(options.layerID);
    const data = options.imageData as ImageData;
    if (layer.kind !== "pixel" || data.width !== width || data.height !== height) {
      throw new Error("putPixels onto something else than a whole pixel layer");
    }
    if (data.componentSize !== depth) {
      throw new Error("putPixels with another depth than the document's");
    }
    layer.pixels = { data: data.read().slice(), components: data.components };
  },
  async encodeImageData({ imageData }: { imageData: ImageData }) {
    const canvas = document.createElement("canvas");
    canvas.width = imageData.width;
    canvas.height = imageData.height;
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const drawn = context.createImageData(canvas.width, canvas.height);
    (imageData.read() as Uint8Array).forEach((value, k) => { drawn.data[4 * Math.floor(k / 3) + (k % 3)] = value; });
    for (let k = 3; k < drawn.data.length; k += 4) drawn.data[k] = 255;
    context.putImageData(drawn, 0, 0);
    return canvas.toDataURL("image/jpeg", 1).split(",")[1];
  },
};

/** Filters act on the active layer; on pixels they would not stay adjustable. */
function addFilter(command: Descriptor): void {
  const layer = state.active[0];
  if (layer?.kind !== "smartObject") refuse("a filter on something else than a smart object");
  if (selection) refuse("a selection would become the filter's mask");
  if (!hasUnit(command.radius, "pixelsUnit", 0.1, 1000)) refuse("radius");
  const radius = { units: "Pixels", value: command.radius._value };
  if (command._obj === "gaussianBlur") {
    (layer as Layer).filters.push({ type: "gaussian blur", settings: { radius }, opacity: 1 });
    return;
  }
  if (!hasUnit(command.amount, "percentUnit", 1, 500)) refuse("amount");
  if (!Number.isInteger(command.threshold) || command.threshold < 0) refuse("threshold");
  const settings = { amount: command.amount._value / 100, radius, threshold: command.threshold };
  (layer as Layer).filters.push({ type: "unsharp mask", settings, opacity: 1 });
}

/** The layer becomes a new one: whoever keeps the old one has nothing. */
function makeSmartObject(): void {
  const [layer] = state.active;
  if (!layer || layer.kind !== "pixel" || !layer.pixels || layer.mask) refuse("nothing to convert");
  const plain = layer as Layer;
  const smart = new Layer(plain.name, "smartObject");
  smart.pixels = plain.pixels;
  smart.parent = plain.parent;
  const siblings = plain.siblings();
  siblings.splice(siblings.indexOf(plain), 1, smart);
  state.active = [smart];
}

const isMask = (reference: any): boolean => reference?._ref === "channel" && reference._value === "mask";

function playOne(command: Descriptor): Descriptor {
  const target = command._target?.[0];
  if (command._obj === "get" && target?._property === "XMPMetadataAsUTF8") {
    const where = command._target[1];
    return { _obj: "layer", XMPMetadataAsUTF8: where._ref === "layer" ? byId(where._id).xmp : "" };
  }
  mustBeModal(command._obj);
  if (window.fakeSetup.options.failOn && JSON.stringify(command).includes(window.fakeSetup.options.failOn)) {
    refuse("made to fail");
  }
  if (command._obj === "make" && target?._ref === "adjustmentLayer") {
    const layer = new Layer(command.using.name, "adjustment");
    layer.adjustment = adjustmentOf(command.using.type);
    layer.mask = selection ? fullMask(selection) : null;
    insert(layer);
    return {} as Descriptor;
  }
  if (command._obj === "make" && command.new?._class === "channel" && isMask(command.at)) {
    const active = state.active[0];
    if (!selection || !active || active.mask) refuse("no selection, or a mask already");
    const hides = command.using._value === "hideSelection";
    if (!hides && command.using._value !== "revealSelection") refuse("userMaskEnabled");
    (active as Layer).mask = fullMask((selection as Uint8Array).map((value) => (hides ? 255 - value : value)));
    selection = null;
    return {} as Descriptor;
  }
  if (command._obj === "newPlacedLayer" && Object.keys(command).length === 1) {
    makeSmartObject();
    return {} as Descriptor;
  }
  if (command._obj === "gaussianBlur" || command._obj === "unsharpMask") {
    addFilter(command);
    return {} as Descriptor;
  }
  if (command._obj === "set" && target?._ref === "filterFX") {
    const { opacity, mode } = command.filterFX?.blendOptions ?? {};
    const filter = state.active[0]?.filters[target._index - 1];
    const names = [command._target[1]?._value, command.filterFX?._obj, command.filterFX?.blendOptions?._obj];
    if (!filter || names.join() !== "targetEnum,filterFX,blendOptions") refuse("no such Smart Filter");
    if (!hasUnit(opacity, "percentUnit", 0, 100) || mode?._value !== "normal") refuse("blendOptions");
    (filter as Filter).opacity = opacity._value / 100;
    return {} as Descriptor;
  }
  if (command._obj === "select" && target?._ref === "layer") {
    state.active = [byId(target._id)];
    return {} as Descriptor;
  }
  if (command._obj === "set" && target?._property === "selection" && isMask(command.to?.[0])) {
    const { mask } = byId(command.to[1]._id);
    if (!mask) refuse("the layer has no mask");
    selection = (mask as Mask).data.slice();
    return {} as Descriptor;
  }
  if (command._obj === "set" && target?._property === "XMPMetadataAsUTF8") {
    byId(command._target[1]._id).xmp = command.to.XMPMetadataAsUTF8;
    return {} as Descriptor;
  }
  return refuse(`unknown command ${JSON.stringify(command)}`);
}

const photoshop = {
  app: { get activeDocument() { return setup.options.noDocument ? null : documentObject; } },
  constants: { ElementPlacement: { PLACEINSIDE: "placeInside", PLACEBEFORE: "placeBefore" } },
  imaging,
  action: {
    async batchPlay(commands: Descriptor[]): Promise<Descriptor[]> {
      return commands.map((command) => {
        try {
          return playOne(command);
        } catch (error: any) {
          if (error.refusal) {
            return { _obj: "error", message: error.refusal, result: -25920 };
          }
          throw error;
        }
      });
    },
  },
  core: {
    async executeAsModal(work: any, options: any): Promise<unknown> {
      if (isModal || setup.options.isBusy) {
        throw Object.assign(new Error("host is in a modal state"), { number: 9 });
      }
      if (!options?.commandName) {
        throw new Error("commandName is needed");
      }
      isModal = true;
      stepName = options.commandName;
      calls = 0;
      let kept: any = null;
      const rollBack = (): void => {
        state.layers = kept.layers;
        state.active = all(state.layers).filter((layer) => kept.active.includes(layer.id));
        selection = kept.selection;
      };
      try {
        return await work({
          get isCancelled() { return isCancelled; },
          hostControl: {
            async suspendHistory({ name }: any) {
              count("suspendHistory");
              isSuspended = true;
              kept = { name, layers: state.layers.map((layer) => layer.copy(null)), active: state.active.map((l) => l.id), selection };
              return kept;
            },
            async resumeHistory(_: any, commit = true) {
              count("resumeHistory");
              isSuspended = false;
              if (commit) {
                history.push(kept.name);
                undoable.push(rollBack);
              } else {
                rollBack();
              }
            },
          },
        });
      } catch (error: any) {
        // "If the target function exits via an exception, then all ... history states are cancelled."
        if (isSuspended) {
          rollBack();
        }
        throw error.refusal ? new Error(error.refusal) : error;
      } finally {
        isModal = isSuspended = isCancelled = false;
      }
    },
  },
};

window.fake = {
  history,
  isModal: () => isModal,
  liveImages: () => live.size,
  secrets,
  files: () => toFiles(state.layers),
  undo: () => { history.pop(); undoable.pop()?.(); },
  isSelected: () => selection !== null,
  fail: (next: Mishap) => { mishap = next; },
  hasFailed: () => mishap !== null && calls >= mishap.call,
  tree: () => JSON.stringify(state.layers, (key, value) => (["pixels", "mask", "parent", "xmp"].includes(key) ? undefined : value)),
  setSelection: (text: string | null) => { selection = text ? fromBase64(text) : null; },
};
(window as any).require = (name: string) => {
  if (name === "photoshop") return photoshop;
  if (name === "uxp") return uxp;
  throw new Error(`no module ${name}`);
};

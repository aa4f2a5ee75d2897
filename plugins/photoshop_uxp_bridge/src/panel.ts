/** The panel's widgets and what they start. */

import { BridgeClient, BridgeFailure } from "./bridge_client.ts";
import { Diagnostics } from "./diagnostics.ts";
import { toAddress } from "./encoded_pictures.ts";
import { drawHeatMap } from "./heat_map.ts";
import type { PhotoshopModule, UxpModule } from "./hosts.ts";
import type { Sharpening } from "./layer_writer.ts";
import type { Operators } from "./messages.ts";
import { Preview, type Shown } from "./preview.ts";
import { type Check, inWords } from "./self_check.ts";
import { editAt, type Looking, type Scene, Session } from "./session.ts";

const TOKEN_KEY = "gazeshift-token";
/** How often the panel looks for a bridge that has been started. */
const LOOK_AGAIN_MS = 3_000;
/** The bridge ends itself after 15 minutes without a request. */
const KEEP_ALIVE_MS = 240_000;
/** A dial that rests this long gets its share measured. */
const REST_MS = 150;
const READING = "Reading the document and predicting";

const element = <Kind extends HTMLElement>(id: string): Kind => {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`The page has no element "${id}".`);
  }
  return found as Kind;
};

/** UXP had no `hidden` property before its version 8; the attribute always works. */
const show = (part: HTMLElement, isShown: boolean): void => {
  if (isShown) {
    part.removeAttribute("hidden");
  } else {
    part.setAttribute("hidden", "");
  }
};

const isShown = (part: HTMLElement): boolean => !part.hasAttribute("hidden");

/** UXP shows a choice that was set by its place, and not one that was set by its value. */
const choose = (select: HTMLSelectElement, value: string): void => {
  const place = Array.from(select.options).findIndex((option) => option.value === value);
  select.selectedIndex = Math.max(0, place);
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export class Panel {
  private readonly client: BridgeClient;
  private readonly session: Session;
  private readonly diagnostics: Diagnostics;
  private scene: Scene | null = null;
  private preview: Preview | null = null;
  private shown: Shown | null = null;
  private showsBefore = false;
  private isBusy = false;
  private connection: "none" | "waiting" | "connected" = "none";
  private lastContactMs = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;

  private readonly state = element("state");
  private readonly remedy = element("remedy");
  private readonly message = element("message");
  private readonly token = element<HTMLInputElement>("token");
  private readonly connectBox = element("connect-box");
  private readonly work = element("work");
  private readonly dial = element<HTMLInputElement>("dial");
  private readonly style = element<HTMLSelectElement>("style");
  private readonly sharpening = element<HTMLSelectElement>("sharpening");

  constructor(
    private readonly ps: PhotoshopModule,
    private readonly uxp: UxpModule,
    fetchBridge: ConstructorParameters<typeof BridgeClient>[0],
  ) {
    this.client = new BridgeClient(fetchBridge, "");
    this.session = new Session(ps, this.client);
    this.diagnostics = new Diagnostics(uxp);
  }

  async start(): Promise<void> {
    this.on("connect", "Connecting", () => this.connect());
    this.on("look", READING, () => this.look({ reopen: false }));
    this.on("reopen", READING, () => this.look({ reopen: true }));
    this.on("apply", "Applying", () => this.apply());
    this.on("heat", "Predicting where people look", () => this.showHeat());
    this.on("copy", "Copying", () => this.copyDiagnostics());
    element("flip").addEventListener("click", () => this.flip());
    this.token.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        void this.guard("Connecting", () => this.connect());
      }
    });
    this.dial.addEventListener("input", () => this.moveDial());
    this.style.addEventListener("change", () => this.changeStyle());
    this.sharpening.addEventListener("change", () => this.showSharpening());
    setInterval(() => void this.keepInTouch(), LOOK_AGAIN_MS);
    await this.guard("Connecting", () => this.connect());
  }

  private on(id: string, what: string, work: () => Promise<void>): void {
    element(id).addEventListener("click", () => void this.guard(what, work));
  }

  /** The panel's one handler of failures; says meanwhile what is going on. */
  private async guard(what: string, work: () => Promise<void>): Promise<void> {
    if (this.isBusy) {
      return;
    }
    this.setBusy(what);
    this.say("", "");
    try {
      await work();
    } catch (error) {
      this.showFailure(
        error instanceof BridgeFailure
          ? error
          : new BridgeFailure("unexpected", `Something went wrong: ${String(error)}`, ""),
      );
    } finally {
      this.setBusy(null);
    }
  }

  private showFailure(failure: BridgeFailure): void {
    this.diagnostics.note(`${failure.code}: ${failure.message}`);
    if (["unreachable", "token", "protocol", "lost", "model"].includes(failure.code)) {
      const isWaiting = failure.code === "unreachable" || failure.code === "lost";
      this.connection = isWaiting ? "waiting" : "none";
      this.showConnection(failure.message, failure.remedy);
    } else {
      this.say(`${failure.message} ${failure.remedy}`.trim(), "bad");
    }
  }

  private async connect(): Promise<void> {
    const token = this.token.value || (await this.storedToken());
    this.client.setToken(token);
    const operators = await this.client.connect();
    await this.uxp.storage.secureStorage.setItem(TOKEN_KEY, token.trim());
    this.token.value = "";
    this.offer(operators);
    const hasFocus = this.connectBox.contains(document.activeElement);
    this.connection = "connected";
    this.lastContactMs = Date.now();
    this.showConnection(`Connected to GazeShift ${this.client.version}`, "");
    if (hasFocus) {
      element("look").focus();
    }
  }

  /** Notices that the core was started or has ended, and keeps it from ending while we are open. */
  private async keepInTouch(): Promise<void> {
    if (this.isBusy || this.connection === "none") {
      return;
    }
    if (this.connection === "waiting") {
      if (await this.client.isThere()) {
        await this.guard("Connecting", () => this.connect());
      }
    } else if (Date.now() - this.lastContactMs >= KEEP_ALIVE_MS) {
      this.lastContactMs = Date.now();
      if (!(await this.client.isThere())) {
        this.showFailure(this.client.lost());
      }
    }
  }

  private async storedToken(): Promise<string> {
    const stored = await this.uxp.storage.secureStorage.getItem(TOKEN_KEY);
    return stored ? String.fromCharCode(...stored) : "";
  }

  private offer(operators: Operators): void {
    const chosen = this.style.value;
    while (this.style.firstChild) {
      this.style.removeChild(this.style.firstChild);
    }
    for (const { number, label } of operators.styles) {
      const option = document.createElement("option");
      option.setAttribute("value", String(number));
      option.textContent = label;
      this.style.appendChild(option);
    }
    choose(this.style, chosen);
    show(element("style-row"), operators.styles.length > 0);
    this.dial.min = String(Math.round(100 * operators.strength_minimum));
    this.dial.max = String(Math.round(100 * operators.strength_maximum));
  }

  private async look(how: Partial<Looking> & { reopen: boolean }): Promise<void> {
    const style = Number(this.style.value || 0);
    let scene: Scene;
    try {
      scene = await this.session.look({ style, keepNumbers: true, ...how });
    } catch (error) {
      this.setScene(null);
      throw error;
    }
    this.setScene(scene);
    if (scene.existing && how.keepNumbers !== false) {
      const { edit, sharpening } = scene.existing;
      const sign = edit.direction === "attract" ? 1 : -1;
      this.dial.value = String(Math.round(100 * sign * edit.strength));
      choose(this.sharpening, sharpening);
      this.showSharpening();
    }
    show(element("maps"), false);
    this.moveDial();
    this.say(scene.warnings.join(" "), "note");
  }

  private changeStyle(): void {
    const { scene } = this;
    if (scene) {
      const reopen = scene.existing !== null;
      void this.guard(READING, () => this.look({ reopen, keepNumbers: false }));
    }
  }

  private strength(): number {
    return Number(this.dial.value) / 100;
  }

  /** Another scene is looked at from now on, or none. */
  private setScene(scene: Scene | null): void {
    this.scene = scene;
    void this.preview?.close().catch((error) => this.noteOf("preview", error));
    this.preview = null;
    this.shown = null;
    this.showsBefore = false;
    if (!scene) {
      show(element("preview"), false);
      this.showShares();
    } else {
      const preview = new Preview(this.ps, this.client, scene.proxy, scene.proxyMask, (shown) => {
        if (this.preview === preview) {
          this.shown = shown;
          this.showPicture();
        }
      });
      const { width, height } = preview.size;
      // The longest side is as wide as the panel.
      element("picture").style.width = `${Math.round((100 * width) / Math.max(width, height))}%`;
      this.preview = preview;
    }
  }

  private drawPreview(): void {
    const { scene, preview } = this;
    if (scene && preview) {
      const drawn = preview.draw(editAt(scene, this.strength()));
      void drawn.catch((error) => {
        this.noteOf("preview", error);
        // Rather none than one of another position; a later scene's picture stays as it is.
        if (preview === this.preview) {
          show(element("preview"), false);
        }
      });
    }
  }

  private showPicture(): void {
    if (!this.shown) {
      return;
    }
    const image = element<HTMLImageElement>("picture");
    const side = this.showsBefore ? "before" : "after";
    image.src = this.shown[side];
    image.alt = `Preview ${side} the edit`;
    element("side").textContent = `Preview, ${side}`;
    element("flip").textContent = this.showsBefore ? "Show after" : "Show before";
    show(element("preview"), true);
  }

  private flip(): void {
    this.showsBefore = !this.showsBefore;
    this.showPicture();
  }

  private noteOf(what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.diagnostics.note(`${what}: ${reason}`);
  }

  private moveDial(): void {
    this.showShares();
    // Whoever moves the dial wants to see what it does.
    this.showsBefore = false;
    this.drawPreview();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => void this.measureHere(), REST_MS);
  }

  private showShares(): void {
    const strength = this.strength();
    const side = strength > 0 ? "Attract" : strength < 0 ? "Divert" : "Unchanged";
    const amount = strength === 0 ? "" : ` ${Math.round(100 * Math.abs(strength))} %`;
    element("dial-text").textContent = side + amount;
    show(element("shares"), this.scene !== null);
    if (this.scene) {
      const after = this.scene.shares.at(strength);
      element("share-before").textContent = percent(this.scene.shares.before);
      element("share-after").textContent = !after
        ? "measuring"
        : `${after.isMeasured ? "" : "about "}${percent(after.share)}`;
    }
    element("apply").textContent = this.scene?.existing ? "Apply to existing edit" : "Apply";
    this.dial.setAttribute("aria-valuetext", side + amount);
  }

  /** Asks for the share, and for the map if it is shown, where the dial rests. */
  private async measureHere(): Promise<void> {
    const { scene } = this;
    const strength = this.strength();
    const showsMaps = isShown(element("maps"));
    if (!scene || (scene.shares.has(strength) && !showsMaps)) {
      return;
    }
    try {
      const after = await this.session.attentionAfter(scene, strength);
      // The dial may have moved on, or the scene may be another one.
      if (scene === this.scene) {
        this.showShares();
        if (showsMaps && strength === this.strength()) {
          await this.showMap("after-map", scene, after);
        }
      }
    } catch (error) {
      this.noteOf("share", error);
    }
  }

  private async apply(): Promise<void> {
    const scene = await this.currentScene();
    const sharpening = this.sharpening.value as Sharpening;
    let check: Check;
    try {
      check = await this.session.apply(scene, this.strength(), sharpening);
    } finally {
      // What comes next adjusts the edit, also when only the check of it has failed.
      this.showShares();
    }
    this.diagnostics.check = check;
    const near = check.smart
      ? ` The Smart Filters come near GazeShift's sharpening: ${inWords(check.smart)}.`
      : "";
    if (check.isGood) {
      const what = check.smart ? "Apart from them it" : "Photoshop";
      this.say(`Applied.${near} ${what} shows what GazeShift computed: ${inWords(check)}.`, "good");
    } else {
      this.say(
        `Applied, but Photoshop shows something else than GazeShift computed: ${inWords(check)}.` +
          `${near} Please send the diagnostics.`,
        "bad",
      );
    }
  }

  /** The scene that is shown, or a new one if another document is open or the edit was undone. */
  private async currentScene(): Promise<Scene> {
    if (!this.scene || !this.session.isCurrent(this.scene)) {
      await this.look({ reopen: false });
    }
    return this.scene as Scene;
  }

  private async showHeat(): Promise<void> {
    const scene = await this.currentScene();
    const strength = this.strength();
    await this.showMap("before-map", scene, await this.session.attentionBefore(scene));
    await this.showMap("after-map", scene, await this.session.attentionAfter(scene, strength));
    show(element("maps"), true);
    this.showShares();
  }

  private async showMap(
    id: string,
    scene: Scene,
    map: Parameters<typeof drawHeatMap>[1],
  ): Promise<void> {
    const image = element<HTMLImageElement>(id);
    image.src = await toAddress(this.ps, drawHeatMap(scene.proxy, map));
  }

  private showSharpening(): void {
    show(element("sharpening-note"), this.sharpening.value === "smart");
  }

  private async copyDiagnostics(): Promise<void> {
    const text = this.diagnostics.text(this.client.version);
    // UXP's clipboard takes an object, the web's a string.
    const clipboard = navigator.clipboard as unknown as {
      setContent?: (content: Record<string, string>) => Promise<void>;
      writeText: (text: string) => Promise<void>;
    };
    await (clipboard.setContent
      ? clipboard.setContent({ "text/plain": text })
      : clipboard.writeText(text));
    this.say("The diagnostics are in the clipboard.", "note");
  }

  private showConnection(state: string, remedy: string): void {
    const isConnected = this.connection === "connected";
    this.state.textContent = state;
    this.state.className = isConnected ? "good" : "bad";
    this.remedy.textContent = remedy;
    show(this.remedy, remedy !== "");
    show(this.connectBox, !isConnected);
    show(this.work, isConnected);
    show(element("maps"), false);
  }

  private say(text: string, kind: "" | "good" | "bad" | "note"): void {
    this.message.textContent = text;
    this.message.className = kind;
    show(this.message, text !== "");
  }

  private setBusy(what: string | null): void {
    this.isBusy = what !== null;
    element("panel").className = this.isBusy ? "busy" : "";
    element("busy").textContent = what ?? "";
    show(element("busy"), this.isBusy);
  }
}

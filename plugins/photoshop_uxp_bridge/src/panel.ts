/** The panel's widgets and what they start. */

import { BridgeClient, BridgeFailure } from "./bridge_client.ts";
import { Diagnostics } from "./diagnostics.ts";
import { drawHeatMap, toAddress } from "./heat_map.ts";
import type { PhotoshopModule, UxpModule } from "./hosts.ts";
import type { Sharpening } from "./layer_writer.ts";
import type { Operators } from "./messages.ts";
import { inWords } from "./self_check.ts";
import { type Looking, type Scene, Session } from "./session.ts";

const TOKEN_KEY = "gazeshift-token";
/** How often the panel looks for a bridge that has been started. */
const LOOK_AGAIN_MS = 3_000;
/** The bridge ends itself after 15 minutes without a request. */
const KEEP_ALIVE_MS = 240_000;
/** A dial that rests this long gets its share measured. */
const REST_MS = 150;

const element = <Kind extends HTMLElement>(id: string): Kind => {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(`The page has no element "${id}".`);
  }
  return found as Kind;
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

export class Panel {
  private readonly client: BridgeClient;
  private readonly session: Session;
  private readonly diagnostics: Diagnostics;
  private scene: Scene | null = null;
  private isBusy = false;
  private connection: "none" | "waiting" | "connected" = "none";
  private lastContactMs = 0;
  private focused: HTMLElement | null = null;
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
    this.on("connect", () => this.connect());
    this.on("look", () => this.look({ reopen: false }));
    this.on("reopen", () => this.look({ reopen: true }));
    this.on("apply", () => this.apply());
    this.on("heat", () => this.showHeat());
    this.on("copy", () => this.copyDiagnostics());
    this.token.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        void this.guard(() => this.connect());
      }
    });
    this.dial.addEventListener("input", () => this.moveDial());
    this.style.addEventListener("change", () => this.changeStyle());
    this.sharpening.addEventListener("change", () => this.showSharpening());
    setInterval(() => void this.keepInTouch(), LOOK_AGAIN_MS);
    await this.guard(() => this.connect());
  }

  private on(id: string, work: () => Promise<void>): void {
    element(id).addEventListener("click", () => void this.guard(work));
  }

  /** The panel's one handler of failures. */
  private async guard(work: () => Promise<void>): Promise<void> {
    if (this.isBusy) {
      return;
    }
    this.setBusy(true);
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
      this.setBusy(false);
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
    this.connection = "connected";
    this.lastContactMs = Date.now();
    this.showConnection(`Connected to GazeShift ${this.client.version}`, "");
  }

  /** Notices that the core was started or has ended, and keeps it from ending while we are open. */
  private async keepInTouch(): Promise<void> {
    if (this.isBusy || this.connection === "none") {
      return;
    }
    if (this.connection === "waiting") {
      if (await this.client.isThere()) {
        await this.guard(() => this.connect());
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
    this.style.innerHTML = "";
    for (const { number, label } of operators.styles) {
      const option = document.createElement("option");
      option.value = String(number);
      option.textContent = label;
      this.style.appendChild(option);
    }
    element("style-row").hidden = operators.styles.length === 0;
    this.dial.min = String(Math.round(100 * operators.strength_minimum));
    this.dial.max = String(Math.round(100 * operators.strength_maximum));
  }

  private async look(how: Partial<Looking> & { reopen: boolean }): Promise<void> {
    this.scene = null;
    const style = Number(this.style.value || 0);
    const scene = await this.session.look({ style, keepNumbers: true, ...how });
    if (how.reopen && !scene.existing) {
      throw new BridgeFailure("existing", "This document holds no GazeShift edit.", "");
    }
    this.scene = scene;
    if (scene.existing && how.keepNumbers !== false) {
      const { edit, sharpening } = scene.existing;
      const sign = edit.direction === "attract" ? 1 : -1;
      this.dial.value = String(Math.round(100 * sign * edit.strength));
      this.sharpening.value = sharpening;
      this.showSharpening();
    }
    element("maps").hidden = true;
    this.moveDial();
    this.say(scene.warnings.join(" "), "note");
  }

  private changeStyle(): void {
    const { scene } = this;
    if (scene) {
      const reopen = scene.existing !== null;
      void this.guard(() => this.look({ reopen, keepNumbers: false }));
    }
  }

  private strength(): number {
    return Number(this.dial.value) / 100;
  }

  private moveDial(): void {
    this.showShares();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => void this.measureHere(), REST_MS);
  }

  private showShares(): void {
    const strength = this.strength();
    const side = strength > 0 ? "Attract" : strength < 0 ? "Divert" : "Unchanged";
    const amount = strength === 0 ? "" : ` ${Math.round(100 * Math.abs(strength))} %`;
    element("dial-text").textContent = side + amount;
    element("shares").hidden = !this.scene;
    if (this.scene) {
      const after = this.scene.shares.at(strength);
      element("share-before").textContent = percent(this.scene.shares.before);
      element("share-after").textContent = !after
        ? "measuring"
        : `${after.isMeasured ? "" : "about "}${percent(after.share)}`;
    }
    element("apply").textContent = this.scene?.existing ? "Apply to existing edit" : "Apply";
  }

  /** Asks for the share, and for the map if it is shown, where the dial rests. */
  private async measureHere(): Promise<void> {
    const { scene } = this;
    const strength = this.strength();
    const showsMaps = !element("maps").hidden;
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
      this.diagnostics.note(`share: ${String(error)}`);
    }
  }

  private async apply(): Promise<void> {
    if (!this.scene || this.scene.documentId !== this.ps.app.activeDocument?.id) {
      await this.look({ reopen: false });
    }
    const scene = this.scene as Scene | null;
    if (!scene) {
      return;
    }
    const sharpening = this.sharpening.value as Sharpening;
    const check = await this.session.apply(scene, this.strength(), sharpening);
    // The selection is now the group's mask: what comes next adjusts this edit.
    this.scene = null;
    this.showShares();
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

  private async showHeat(): Promise<void> {
    if (!this.scene) {
      await this.look({ reopen: false });
    }
    const scene = this.scene as Scene | null;
    if (!scene) {
      return;
    }
    const strength = this.strength();
    await this.showMap("before-map", scene, await this.session.attentionBefore(scene));
    await this.showMap("after-map", scene, await this.session.attentionAfter(scene, strength));
    element("maps").hidden = false;
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
    element("sharpening-note").hidden = this.sharpening.value !== "smart";
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
    this.remedy.hidden = remedy === "";
    this.connectBox.hidden = isConnected;
    this.work.hidden = !isConnected;
    element("maps").hidden = true;
  }

  private say(text: string, kind: "" | "good" | "bad" | "note"): void {
    this.message.textContent = text;
    this.message.className = kind;
    this.message.hidden = text === "";
  }

  private setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    if (isBusy) {
      this.focused = document.activeElement as HTMLElement | null;
    }
    document.querySelectorAll("button").forEach((button) => {
      button.disabled = isBusy;
    });
    element("busy").hidden = !isBusy;
    if (!isBusy) {
      // A button that is switched off loses the keyboard.
      this.focused?.focus();
    }
  }
}

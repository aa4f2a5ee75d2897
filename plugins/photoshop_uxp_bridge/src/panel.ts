/** The panel's widgets and what they start. */

import { BridgeClient, BridgeFailure } from "./bridge_client.ts";
import { Diagnostics } from "./diagnostics.ts";
import { drawHeatMap, toAddress } from "./heat_map.ts";
import type { PhotoshopModule, UxpModule } from "./hosts.ts";
import type { Operators } from "./messages.ts";
import { editAt, type Scene, Session } from "./session.ts";

const TOKEN_KEY = "gazeshift-token";

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

  private readonly state = element("state");
  private readonly remedy = element("remedy");
  private readonly message = element("message");
  private readonly token = element<HTMLInputElement>("token");
  private readonly connectBox = element("connect-box");
  private readonly work = element("work");
  private readonly dial = element<HTMLInputElement>("dial");
  private readonly style = element<HTMLSelectElement>("style");

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
    this.on("connect", () => this.connect(this.token.value));
    this.on("look", () => this.look(false));
    this.on("reopen", () => this.look(true));
    this.on("apply", () => this.apply());
    this.on("heat", () => this.showHeat());
    this.on("copy", () => this.copyDiagnostics());
    this.dial.addEventListener("input", () => this.showShares());
    this.style.addEventListener("change", () => void this.guard(() => this.look(false)));
    await this.guard(async () => this.connect(await this.storedToken()));
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
      const failure =
        error instanceof BridgeFailure
          ? error
          : new BridgeFailure("unexpected", `Something went wrong: ${String(error)}`, "");
      this.diagnostics.note(`${failure.code}: ${failure.message}`);
      if (["unreachable", "token", "protocol", "lost", "model"].includes(failure.code)) {
        this.showConnection(false, failure.message, failure.remedy);
      } else {
        this.say(`${failure.message} ${failure.remedy}`.trim(), "bad");
      }
    } finally {
      this.setBusy(false);
    }
  }

  private async connect(token: string): Promise<void> {
    this.client.setToken(token);
    const operators = await this.client.connect();
    await this.uxp.storage.secureStorage.setItem(TOKEN_KEY, token.trim());
    this.token.value = "";
    this.offer(operators);
    this.showConnection(true, `Connected to GazeShift ${this.client.version}`, "");
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
  }

  private async look(reopen: boolean): Promise<void> {
    this.scene = null;
    const scene = await this.session.look(Number(this.style.value || 0), reopen);
    if (reopen && !scene.existing) {
      throw new BridgeFailure("existing", "This document holds no GazeShift edit.", "");
    }
    this.scene = scene;
    if (scene.existing) {
      const { strength, direction } = scene.existing.edit;
      this.dial.value = String(direction === "attract" ? strength : -strength);
    }
    element("maps").hidden = true;
    this.showShares();
    this.say(scene.warnings.join(" "), "note");
  }

  private showShares(): void {
    const strength = Number(this.dial.value);
    const side = strength > 0 ? "Attract" : strength < 0 ? "Divert" : "Unchanged";
    element("dial-text").textContent = `${side} ${Math.abs(strength).toFixed(2)}`;
    element("shares").hidden = !this.scene;
    if (this.scene) {
      const after = editAt(this.scene, strength).share_after;
      element("share-before").textContent = percent(this.scene.shareBefore);
      element("share-after").textContent = after === null ? "not measured" : percent(after);
    }
    element("apply").textContent = this.scene?.existing ? "Apply to existing edit" : "Apply";
  }

  private async apply(): Promise<void> {
    if (!this.scene || this.scene.documentId !== this.ps.app.activeDocument?.id) {
      await this.look(false);
    }
    const scene = this.scene as Scene | null;
    if (!scene) {
      return;
    }
    const { check } = await this.session.apply(scene, Number(this.dial.value));
    // The selection is now the group's mask: what comes next adjusts this edit.
    this.scene = null;
    this.showShares();
    this.diagnostics.check = check;
    const numbers = `largest ${check.largest.toFixed(1)}, mean ${check.mean.toFixed(2)} of 255`;
    if (check.isGood) {
      this.say(`Applied. Photoshop shows what GazeShift computed: ${numbers}.`, "good");
    } else {
      this.say(
        `Applied, but Photoshop shows something else than GazeShift computed: ${numbers}. ` +
          "Please send the diagnostics.",
        "bad",
      );
    }
  }

  private async showHeat(): Promise<void> {
    if (!this.scene) {
      await this.look(false);
    }
    const scene = this.scene as Scene | null;
    if (!scene) {
      return;
    }
    const maps = await this.session.attention(scene, Number(this.dial.value));
    for (const [id, map] of [
      ["before-map", maps.before],
      ["after-map", maps.after],
    ] as const) {
      const image = element<HTMLImageElement>(id);
      image.src = await toAddress(this.ps, drawHeatMap(scene.proxy, map));
    }
    element("maps").hidden = false;
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

  private showConnection(isConnected: boolean, state: string, remedy: string): void {
    this.state.textContent = state;
    this.state.className = isConnected ? "good" : "bad";
    this.remedy.textContent = remedy;
    this.remedy.hidden = remedy === "";
    this.connectBox.hidden = isConnected;
    this.work.hidden = !isConnected;
  }

  private say(text: string, kind: "" | "good" | "bad" | "note"): void {
    this.message.textContent = text;
    this.message.className = kind;
    this.message.hidden = text === "";
  }

  private setBusy(isBusy: boolean): void {
    this.isBusy = isBusy;
    document.querySelectorAll("button").forEach((button) => {
      button.disabled = isBusy;
    });
    element("busy").hidden = !isBusy;
  }
}

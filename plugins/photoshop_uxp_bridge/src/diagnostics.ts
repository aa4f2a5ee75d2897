/** What the panel can tell about itself: no pixels, no token, no file names. */

import type { UxpModule } from "./hosts.ts";
import { type Check, inWords } from "./self_check.ts";

export class Diagnostics {
  private readonly lines: string[] = [];
  check: Check | null = null;

  constructor(private readonly uxp: UxpModule) {}

  note(text: string): void {
    this.lines.push(text);
    if (this.lines.length > 40) {
      this.lines.shift();
    }
  }

  text(bridgeVersion: string): string {
    const { host, versions } = this.uxp;
    const { check } = this;
    return [
      `panel ${versions.plugin}, bridge ${bridgeVersion || "not connected"}`,
      `${host.name} ${host.version}, UXP ${versions.uxp}`,
      `self-check: ${check ? inWords(check) : "none yet"}`,
      ...(check?.smart ? [`Smart Filters: ${inWords(check.smart)}`] : []),
      ...this.lines,
    ].join("\n");
  }
}

/** Shares of attention along the dial: the bridge's numbers, and what lies between two of them. */

export interface Share {
  share: number;
  /** False between two measured positions of the dial. */
  isMeasured: boolean;
}

export class Shares {
  private readonly known = new Map<number, number>();

  /** At 0 nothing is changed. */
  constructor(readonly before: number) {
    this.known.set(0, before);
  }

  set(strength: number, share: number): void {
    this.known.set(strength, share);
  }

  has(strength: number): boolean {
    return this.known.has(strength);
  }

  measured(strength: number): number | null {
    return this.known.get(strength) ?? null;
  }

  /** Returns null beyond the outermost known position. */
  at(strength: number): Share | null {
    const exact = this.known.get(strength);
    if (exact !== undefined) {
      return { share: exact, isMeasured: true };
    }
    const places = [...this.known.keys()];
    const low = Math.max(...places.filter((place) => place < strength));
    const high = Math.min(...places.filter((place) => place > strength));
    const [from, to] = [this.known.get(low), this.known.get(high)];
    if (from === undefined || to === undefined) {
      return null;
    }
    const part = (strength - low) / (high - low);
    return { share: from + part * (to - from), isMeasured: false };
  }
}

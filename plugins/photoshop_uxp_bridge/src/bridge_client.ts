/** Talks to the GazeShift bridge on this computer; every failure says what to do about it. */

import { decodeBody, encodeBody, type Samples } from "./framing.ts";
import { hmacSha256 } from "./sha256.ts";
import type { Edit, Identity, Operators, PredictAnswer, Recipe } from "./messages.ts";

export const PORTS = [47613, 47614, 47615] as const;
export const PROTOCOL = 1;
const BINARY = "application/x-gazeshift";

export type Fetch = (address: string, options: RequestInit) => Promise<Response>;

/** A failure in words for the user. */
export class BridgeFailure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
  ) {
    super(message);
    this.name = "BridgeFailure";
  }
}

export interface Picture {
  width: number;
  height: number;
  /** 3: RGB, 4: RGB and alpha; rows from the top, channels interleaved. */
  channels: 3 | 4;
  pixels: Samples;
}

export interface Attention {
  width: number;
  height: number;
  share: number | null;
  /** 255 at the peak. */
  map: Uint8Array;
}

const layout = (picture: Picture): object => ({
  width: picture.width,
  height: picture.height,
  channels: picture.channels,
  dtype: dtypeOf(picture.pixels),
});

export const dtypeOf = (samples: Samples): "uint8" | "uint16" =>
  samples instanceof Uint16Array ? "uint16" : "uint8";

export class BridgeClient {
  private port: number | null = null;
  version = "";

  constructor(
    private readonly fetch: Fetch,
    private token: string,
  ) {}

  setToken(token: string): void {
    this.token = token.trim();
  }

  /** Finds the bridge and checks that it speaks our protocol and takes our token. */
  async connect(): Promise<Operators> {
    this.port = null;
    const identity = await this.find();
    if (identity.protocol !== PROTOCOL) {
      const side = identity.protocol > PROTOCOL ? "the panel" : "GazeShift";
      throw new BridgeFailure(
        "protocol",
        `GazeShift ${identity.version} speaks protocol ${identity.protocol}, this panel ${PROTOCOL}.`,
        `Update ${side}.`,
      );
    }
    this.version = identity.version;
    if (!/^[0-9a-f]{64}$/.test(this.token)) {
      throw new BridgeFailure(
        "token",
        this.token ? "The token must be 64 hexadecimal digits." : "The panel has no token yet.",
        "Run 'gazeshift bridge --print-token' in a terminal and paste what it prints.",
      );
    }
    await this.demandProof();
    const operators = await this.json<Operators>("GET", "operators");
    if (operators.problem) {
      throw new BridgeFailure("model", operators.problem.message, operators.problem.hint);
    }
    return operators;
  }

  async predict(
    picture: Picture,
    mask: Uint8Array,
    style: number,
    strengths: readonly number[],
  ): Promise<PredictAnswer> {
    const header = {
      image: layout(picture),
      mask: { dtype: "uint8" },
      styles: [style],
      strengths,
    };
    const answer = await this.binary("predict", header, [picture.pixels, mask]);
    return (await answer.json()) as PredictAnswer;
  }

  async attention(picture: Picture, mask: Uint8Array): Promise<Attention> {
    const header = { image: layout(picture), mask: { dtype: "uint8" }, dtype: "uint8" };
    const answer = await this.binary("attention", header, [picture.pixels, mask]);
    const { header: about, raw } = decodeBody<Omit<Attention, "map">>(await answer.arrayBuffer());
    return { ...about, map: raw.slice(0, about.width * about.height) };
  }

  /** Renders the parts asked for; each has the picture's layout. */
  async render(
    picture: Picture,
    mask: Samples | null,
    edit: Edit,
    parts: readonly ("result" | "foreground" | "background")[],
    operators: readonly string[] | null = null,
  ): Promise<Samples[]> {
    const header = {
      image: layout(picture),
      mask: mask === null ? null : { dtype: dtypeOf(mask) },
      edit,
      parts,
      operators,
    };
    const sections = mask === null ? [picture.pixels] : [picture.pixels, mask];
    const answer = await this.binary("render", header, sections);
    const { raw } = decodeBody(await answer.arrayBuffer());
    const size = picture.pixels.byteLength;
    return parts.map((_, k) => {
      const bytes = raw.slice(k * size, (k + 1) * size);
      return picture.pixels instanceof Uint16Array ? new Uint16Array(bytes.buffer) : bytes;
    });
  }

  /** Keeps a picture and its mask in the bridge, so that a redraw sends an edit only. */
  async openPreview(picture: Picture, mask: Uint8Array): Promise<string> {
    const header = { image: layout(picture), mask: { dtype: "uint8" } };
    const answer = await this.binary("preview/open", header, [picture.pixels, mask]);
    return ((await answer.json()) as { preview: string }).preview;
  }

  /** Draws an open preview with an edit; 8 bits, the picture's layout. */
  async drawPreview(preview: string, edit: Edit): Promise<Uint8Array> {
    const type = { "Content-Type": "application/json" };
    const body = JSON.stringify({ preview, edit });
    const answer = await this.send("POST", "preview/draw", type, body);
    return decodeBody(await answer.arrayBuffer()).raw.slice();
  }

  async closePreview(preview: string): Promise<void> {
    await this.json("POST", "preview/close", JSON.stringify({ preview }));
  }

  async recipe(edit: Edit, width: number, height: number): Promise<Recipe> {
    const body = JSON.stringify({ edit, width, height });
    const answer = await this.json<{ recipes: Recipe[] }>("POST", "recipe/photoshop", body);
    const [recipe] = answer.recipes;
    if (!recipe) {
      throw new BridgeFailure("recipe", "GazeShift gave no recipe.", "Update GazeShift.");
    }
    return recipe;
  }

  /** Tells whether a bridge answers; being asked also keeps it from ending itself. */
  async isThere(): Promise<boolean> {
    const ports = this.port === null ? PORTS : [this.port];
    for (const port of ports) {
      if (await this.ask(port)) {
        return true;
      }
    }
    return false;
  }

  private async ask(port: number): Promise<Identity | null> {
    try {
      const answer = await this.fetch(`http://127.0.0.1:${port}/v1/identity`, { method: "GET" });
      const identity = (await answer.json()) as Identity;
      return answer.ok && identity.name === "gazeshift" ? identity : null;
    } catch {
      return null;
    }
  }

  /**
   * Lets the bridge show that it knows the token before it gets it: any local user can listen on a
   * port that the bridge has left. Without the token nobody can foresee the challenge.
   */
  private async demandProof(): Promise<void> {
    const challenge = hmacSha256(this.token, `${Date.now()} ${Math.random()}`);
    let proof: string | null = null;
    try {
      const answer = await this.fetch(`http://127.0.0.1:${this.port}/v1/identity`, {
        method: "GET",
        headers: { "GazeShift-Challenge": challenge },
      });
      proof = answer.headers.get("GazeShift-Proof");
    } catch {
      throw this.lost();
    }
    if (proof !== hmacSha256(this.token, `gazeshift-identity ${this.port} ${challenge}`)) {
      throw new BridgeFailure(
        "token",
        "The token is wrong, or another program answers in GazeShift's place; it was not sent.",
        "Run 'gazeshift bridge --print-token' in a terminal and paste what it prints. If that " +
          "does not help, run 'gazeshift doctor'.",
      );
    }
  }

  private async find(): Promise<Identity> {
    for (const port of PORTS) {
      const identity = await this.ask(port);
      if (identity) {
        this.port = port;
        return identity;
      }
    }
    throw new BridgeFailure(
      "unreachable",
      "GazeShift does not answer on this computer.",
      "Start it in a terminal: gazeshift bridge. The panel connects by itself then. If it runs, " +
        `allow 127.0.0.1 (ports ${PORTS.join(", ")}) in your firewall or proxy settings.`,
    );
  }

  /** Forgets the bridge; returns the sentence about it. */
  lost(): BridgeFailure {
    this.port = null;
    return new BridgeFailure(
      "lost",
      "The connection to GazeShift was lost.",
      "Start it again: gazeshift bridge. The panel connects by itself then.",
    );
  }

  private async json<Answer>(method: string, route: string, body?: string): Promise<Answer> {
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    return (await (await this.send(method, route, type, body)).json()) as Answer;
  }

  private binary(route: string, header: object, sections: readonly Samples[]): Promise<Response> {
    return this.send("POST", route, { "Content-Type": BINARY }, encodeBody(header, sections));
  }

  private async send(
    method: string,
    route: string,
    headers: Record<string, string>,
    body?: string | ArrayBuffer,
  ): Promise<Response> {
    if (this.port === null) {
      await this.connect();
    }
    let answer: Response;
    try {
      answer = await this.fetch(`http://127.0.0.1:${this.port}/v1/${route}`, {
        method,
        headers: {
          ...headers,
          Authorization: `Bearer ${this.token}`,
          "GazeShift-Protocol": String(PROTOCOL),
        },
        ...(body === undefined ? {} : { body }),
      });
    } catch {
      throw this.lost();
    }
    if (!answer.ok) {
      throw await failureOf(answer);
    }
    return answer;
  }
}

async function failureOf(answer: Response): Promise<BridgeFailure> {
  try {
    const { code, message, hint } = (await answer.json()) as Record<string, string>;
    return new BridgeFailure(code ?? "unknown", message ?? `Status ${answer.status}`, hint ?? "");
  } catch {
    return new BridgeFailure("unknown", `The bridge answered with status ${answer.status}.`, "");
  }
}

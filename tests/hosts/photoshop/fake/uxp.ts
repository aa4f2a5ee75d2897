/**
 * A stand-in for `require("uxp")`, and what Adobe's notes on UXP say that its pages do otherwise than
 * Chromium's: the panel must not rely on any of it.
 */

export const secrets = new Map<string, string>();

export const uxp = {
  storage: {
    secureStorage: {
      async getItem(key: string) {
        const value = secrets.get(key);
        return value === undefined ? null : Uint8Array.from(value, (c) => c.charCodeAt(0));
      },
      async setItem(key: string, value: string) { secrets.set(key, value); },
      async removeItem(key: string) { secrets.delete(key); },
    },
  },
  host: { name: "Photoshop (fake)", version: "0" },
  versions: { uxp: "0", plugin: "0.1.0" },
};

const getterOf = (owner: object, name: string): (() => any) =>
  Object.getOwnPropertyDescriptor(owner, name)?.get as () => any;

// Before UXP 8 `hidden` was no property: setting it had no effect on the attribute.
const expandos = new WeakMap<object, unknown>();
Object.defineProperty(HTMLElement.prototype, "hidden", {
  get() { return expandos.get(this); },
  set(value: unknown) { expandos.set(this, value); },
});

// "Password field values cannot be read on macOS."
const inputValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value") as PropertyDescriptor;
Object.defineProperty(HTMLInputElement.prototype, "value", {
  get() { return this.type === "password" ? "" : inputValue.get?.call(this); },
  set(value: string) { inputValue.set?.call(this, value); },
});

// "When a control in a panel is disabled and enabled, it is no longer reachable via TAB."
for (const kind of [HTMLButtonElement, HTMLInputElement, HTMLSelectElement]) {
  const disabled = Object.getOwnPropertyDescriptor(kind.prototype, "disabled") as PropertyDescriptor;
  Object.defineProperty(kind.prototype, "disabled", {
    get() { return disabled.get?.call(this); },
    set(value: boolean) {
      if (value) this.tabIndex = -1;
      disabled.set?.call(this, value);
    },
  });
}

// Setting a select's value "does not show the value as selected"; options need the attribute.
const selectValue = getterOf(HTMLSelectElement.prototype, "value");
Object.defineProperty(HTMLSelectElement.prototype, "value", {
  get() { return this.selectedOptions[0]?.hasAttribute("value") ? selectValue.call(this) : undefined; },
  set() { throw new Error("a select's value was set"); },
});

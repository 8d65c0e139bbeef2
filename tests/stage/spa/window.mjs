/**
 * A window as far as the client's logic sees one: a history that can be walked, an address, events, being looked at or
 * not. Draws nothing.
 */

const ORIGIN = 'https://profile.example';

class FakeDocument extends EventTarget {
  /** @type {DocumentVisibilityState} */
  visibilityState = 'visible';

  /** @param {DocumentVisibilityState} state */
  becomes(state) {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

export class FakeWindow extends EventTarget {
  scrollY = 0;
  document = new FakeDocument();
  /** Where the page was told to go, leaving itself. @type {string[]} */
  left = [];
  reloads = 0;
  /** @type {{state: unknown, url: URL}[]} */
  #entries;
  #at = 0;

  /** @param {string} [path] */
  constructor(path = '/') {
    super();
    this.#entries = [{ state: null, url: new URL(path, ORIGIN) }];
    const { window, here } = { window: this, here: () => this.#entry };
    this.location = {
      origin: ORIGIN,
      get href() { return here().url.href; },
      get pathname() { return here().url.pathname; },
      get search() { return here().url.search; },
      assign: (/** @type {string} */ url) => void window.left.push(url),
      reload: () => void (window.reloads += 1),
    };
    this.history = {
      scrollRestoration: 'auto',
      get state() { return here().state; },
      pushState: (/** @type {unknown} */ state, /** @type {string} */ _title, /** @type {string} */ url) => {
        this.#entries.splice(this.#at + 1, Infinity, { state, url: new URL(url, this.location.href) });
        this.#at += 1;
      },
      replaceState: (/** @type {unknown} */ state, /** @type {string} */ _title, /** @type {string} */ url) => {
        this.#entries[this.#at] = { state, url: new URL(url, this.location.href) };
      },
      go: (/** @type {number} */ steps) => this.#go(steps),
    };
  }

  /** The paths of the history, the present one marked. */
  get walked() {
    return this.#entries.map(({ url }, at) => `${at === this.#at ? '*' : ''}${url.pathname}${url.search}${url.hash}`);
  }

  get #entry() {
    const entry = this.#entries[this.#at];
    if (!entry) throw new RangeError('outside of the history');
    return entry;
  }

  /** As a browser does: later, and not beyond the ends. @param {number} steps */
  #go(steps) {
    queueMicrotask(() => {
      if (!this.#entries[this.#at + steps]) return;
      this.#at += steps;
      this.dispatchEvent(Object.assign(new Event('popstate'), { state: this.#entry.state }));
    });
  }
}

/** An element as far as the router sees one; counts how often something was put in it. */
export function fakeMain() {
  const attributes = new Set();
  const main = {
    attributes,
    replaced: 0,
    dataset: /** @type {Record<string, string>} */ ({}),
    setAttribute: (/** @type {string} */ name) => void attributes.add(name),
    removeAttribute: (/** @type {string} */ name) => void attributes.delete(name),
    replaceChildren: () => void (main.replaced += 1),
  };
  return main;
}

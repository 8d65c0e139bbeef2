// @ts-check
/** The one module that navigates, and never from unsaved changes unasked. */
import { isScreen } from './addresses.js';
import { clock } from './clock.js';
import { nodes } from './dom.js';
import { put, putSign } from './screen.js';

/** @import {Explain, Placing, Resolve, RouterWorld, Screen} from './types.js' */

/** Longer, and whoever pressed something doubts that it was heard. */
const SIGN_OF_LIFE = 300;

/** @param {RouterWorld} world */
export function router({ page, clock: { after, now }, put, sign }) {
  /** @type {HTMLElement} */
  let main;
  /** @type {Resolve} */
  let resolve;
  /** @type {Explain} */
  let explain;
  /** @type {Screen | null} */
  let current = null;
  let shown = '';
  let turn = 0;
  let position = 0;
  /** When the page was last told to go away, to go there once; 0 while it is not. */
  let leaving = 0;
  /** What the next popstate is for: taking one back, or going on after the person agreed. */
  let expected = '';
  /** @type {Map<number, number>} */
  const scrolls = new Map();

  /** @param {HTMLElement} element @param {{resolve: Resolve, explain: Explain}} screens */
  async function start(element, screens) {
    main = element;
    ({ resolve, explain } = screens);
    position = page.history.state?.at ?? 0;
    page.history.scrollRestoration = 'manual';
    page.addEventListener('popstate', back);
    page.addEventListener('pageshow', () => (leaving = 0));
    page.addEventListener('beforeunload', (event) => {
      if (now() - leaving > 5000 && current?.dirty?.('')) event.preventDefault();
    });
    page.document.addEventListener('click', follow);
    await render({ focus: false });
  }

  /** Goes to a path of this page. @param {string} path @param {{replace?: boolean, force?: boolean}} [options] */
  async function navigate(path, { replace = false, force = false } = {}) {
    if (!force && !(await mayLeave(new URL(path, page.location.origin).pathname))) return;
    scrolls.set(position, page.scrollY);
    if (!replace) position += 1;
    page.history[replace ? 'replaceState' : 'pushState']({ at: position }, '', path);
    await render();
  }

  /** Leaves the page for good, for the gateway's own flows or the authority. @param {string} url */
  function leave(url) {
    const target = new URL(url, page.location.origin);
    if (!/^https?:$/.test(target.protocol)) throw new TypeError('not a web address');
    if (now() - leaving < 1000) return;
    leaving = now();
    page.location.assign(target.href);
  }

  /** Loads the page anew where it stands. A draft survives that, so nobody is asked. */
  function reload() {
    leaving = now();
    page.location.reload();
  }

  /** @param {{focus?: boolean}} [options] */
  const refresh = ({ focus = true } = {}) => render({ focus, scroll: focus ? 0 : page.scrollY });

  /** Whether the screen may be left; asks the person where changes would be lost. @param {string} [path] */
  const mayLeave = async (path = '') => !current?.dirty?.(path) || !current.guard || current.guard();

  /** Puts a screen in place without changing the path. @param {Screen} screen @param {Placing} [placing] */
  function show(screen, placing = { focus: true, scroll: 0 }) {
    current?.close?.();
    current = screen;
    put(main, screen, placing);
  }

  /** Puts in place what there is to say of a failure. @param {unknown} error */
  const fail = async (error) => show(await explain(error, new URL(page.location.href)));

  /** @param {{focus?: boolean, scroll?: number}} [options] */
  async function render({ focus = true, scroll = 0 } = {}) {
    turn += 1;
    const mine = turn;
    const before = shown;
    shown = page.location.pathname + page.location.search;
    main.setAttribute('aria-busy', 'true');
    /** The screen of another address must not be taken for this one. @param {Screen} [interim] */
    function clear(interim) {
      current?.close?.();
      current = null;
      main.replaceChildren(...nodes(interim?.nodes ?? []));
    }
    // The page came with a sign of its own.
    let told = !before || before === shown;
    const cancel = after(SIGN_OF_LIFE, () => {
      if (mine !== turn) return;
      if (!told) clear();
      sign(main, told);
    });
    const screen = await resolve(new URL(page.location.href), (interim) => {
      if (mine !== turn || current?.screen === interim.screen) return;
      told = true;
      clear(interim);
    }).catch((error) => {
      // As if nothing had come at all: see not-loaded.js.
      delete main.dataset.screen;
      throw error;
    }).finally(cancel);
    if (mine === turn) show(screen, { focus: focus || Boolean(screen.focus), scroll });
  }

  /** @param {PopStateEvent} event */
  async function back(event) {
    const at = event.state?.at ?? 0;
    const reason = expected;
    expected = '';
    if (reason === 'undo') return;
    if (page.location.pathname + page.location.search === shown) {
      position = at;
      return;
    }
    if (reason !== 'agreed' && current?.dirty?.(page.location.pathname) && current.guard) {
      const steps = at - position;
      expected = 'undo';
      page.history.go(-steps);
      if (!(await current.guard())) return;
      expected = 'agreed';
      page.history.go(steps);
      return;
    }
    scrolls.set(position, page.scrollY);
    position = at;
    await render({ scroll: scrolls.get(at) ?? 0 });
  }

  /** Links to our own screens stay in the page. @param {MouseEvent} event */
  function follow(event) {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (!isScreen(url, page.location.origin)) return;
    event.preventDefault();
    if (link.hash === '#main') main.querySelector('h1')?.focus();
    else navigate(url.pathname + url.search + url.hash);
  }

  return { start, navigate, leave, reload, refresh, mayLeave, show, fail };
}

export const { start, navigate, leave, reload, refresh, mayLeave, show, fail } =
  router({ page: globalThis.window, clock, put, sign: putSign });

// @ts-check
/** Until there is a first screen: loads the page again where a part failed, then says so, as the style sheet does late.
 * A classic script, as no module may run. */
(() => {
  'use strict';
  /** Milliseconds before each load: networks change. */
  const PAUSES = [500, 2000, 4000];
  /** A slow connection may take so long. */
  const LATE = 12_000;
  /** How often the page was loaded anew; storage could be blocked. */
  const { count, at } = history.state?.loads ?? { count: 0, at: 0 };
  const loads = Date.now() - at < 600_000 ? count : 0;
  let failed = false;
  let told = false;

  /** @type {HTMLElement | null} */
  let words = null;

  /** Before the first screen takes its place. */
  const find = () => (words ??= document.getElementById('not-loaded'));
  const started = () => document.querySelector('main[data-screen]') !== null;

  function again() {
    history.replaceState({ ...history.state, loads: { count: loads + 1, at: Date.now() } }, '');
    location.reload();
  }

  function tell() {
    const main = document.getElementById('main');
    const found = find();
    if (started() || !main || !found) return;
    told = true;
    found.setAttribute('role', 'alert');
    main.replaceChildren(found);
    main.removeAttribute('aria-busy');
  }

  /** A page without a style sheet is one all the same. @param {boolean} vital */
  function fail(vital) {
    if (started() || failed) return;
    const pause = navigator.onLine === false ? undefined : PAUSES[loads];
    if (!vital && (pause === undefined || loads > 0)) return;
    failed = true;
    if (pause === undefined) tell();
    else setTimeout(() => vital && started() || again(), pause);
  }

  /** What somebody else's script throws in this page is not ours to mend. @param {unknown} where */
  const ours = (where) => String(where).includes(location.origin);

  addEventListener('error', (event) => {
    const { target } = event;
    if (event instanceof ErrorEvent ? ours(event.filename) : target instanceof HTMLScriptElement && target.type === 'module') fail(true);
    else if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') fail(false);
  }, true);
  addEventListener('unhandledrejection', ({ reason }) => ours(reason?.stack) && fail(true));
  // What failed before this script ran, nobody heard: a module that did fails again.
  addEventListener('load', () => {
    for (const { type, src } of document.scripts) if (type === 'module') import(src).catch(() => fail(true));
  });
  addEventListener('DOMContentLoaded', find);
  find();
  addEventListener('online', () => told && !started() && again());

  setTimeout(() => {
    if (started()) return;
    const pending = [...document.querySelectorAll('link')].filter(({ rel, sheet }) => rel === 'stylesheet' && !sheet);
    // What never comes holds up scripts, or the page itself.
    for (const link of pending) link.remove();
    if (!document.body) {
      stop();
      const link = Object.assign(document.createElement('a'), { href: '', textContent: 'This page didn’t load completely. Load the page again.' });
      document.documentElement.append(document.createElement('body'), link);
    }
    setTimeout(tell, pending.length ? 2000 : 0);
  }, LATE);
})();

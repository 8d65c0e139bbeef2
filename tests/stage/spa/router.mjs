/** A router in a window that draws nothing, screens that come when they are told to, and screens that ask before they go. */
import { router } from '../../../spa/router.js';
import { HandClock } from './clock.mjs';
import { FakeWindow, fakeMain } from './window.mjs';

/** @import {Placing, Screen} from '../../../spa/types.js' */

/** A router in a window, and what it has drawn: a screen for each path, named like it.
 * @param {{path?: string, screens?: Record<string, Partial<Screen> | Promise<Partial<Screen>>>}} [how] */
export async function world({ path = '/', screens = {} } = {}) {
  const time = new HandClock();
  const window = new FakeWindow(path);
  const main = fakeMain();
  /** @type {string[]} */
  const drawn = [];
  /** @type {Placing[]} */
  const placings = [];
  /** @type {boolean[]} */
  const signs = [];
  // @ts-expect-error -- FakeWindow has what the router uses of a window, and no more
  const made = router({ page: window, clock: time.clock, sign: (_, begun) => void signs.push(begun), put: (_, screen, placing) => void (drawn.push(screen.screen), placings.push(placing)) });
  // @ts-expect-error -- the same of an element
  await made.start(main, {
    resolve: async (url, show) => {
      const screen = { screen: url.pathname, title: '', nodes: [] };
      const own = screens[url.pathname];
      if (own instanceof Promise) show({ ...screen, screen: `${url.pathname} soon` });
      return { ...screen, ...(await own) };
    },
    explain: async (error) => ({ screen: String(error), title: '', nodes: [] }),
  });
  return { time, window, main, drawn, placings, signs, ...made };
}

/** A screen that comes when it is told to. */
export function later() {
  /** @type {(screen: Partial<Screen>) => void} */
  let come = () => undefined;
  const slow = new Promise((/** @type {(screen: Partial<Screen>) => void} */ resolve) => {
    come = resolve;
  });
  return { come, slow };
}

/** A screen with something unsaved. @param {boolean} agrees whether the person leaves all the same */
export function unsaved(agrees) {
  const asked = { times: 0, agrees };
  return { asked, dirty: (/** @type {string} */ path) => path !== '/check', guard: async () => {
    asked.times += 1;
    return asked.agrees;
  } };
}

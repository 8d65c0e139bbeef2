import assert from 'node:assert/strict';
import { test } from 'node:test';

import { router } from '../../../spa/router.js';
import { HandClock, settled } from '../../stage/spa/clock.mjs';
import { FakeWindow, fakeMain } from '../../stage/spa/window.mjs';

/** @import {Placing, Screen} from '../../../spa/types.js' */

/** A router in a window, and what it has drawn: a screen for each path, named like it.
 * @param {{path?: string, screens?: Record<string, Partial<Screen> | Promise<Partial<Screen>>>}} [how] */
async function world({ path = '/', screens = {} } = {}) {
  const time = new HandClock();
  const window = new FakeWindow(path);
  const main = fakeMain();
  /** @type {string[]} */
  const drawn = [];
  /** @type {Placing[]} */
  const placings = [];
  // @ts-expect-error -- FakeWindow has what the router uses of a window, and no more
  const made = router({ page: window, now: time.clock.now, put: (_, screen, placing) => void (drawn.push(screen.screen), placings.push(placing)) });
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
  return { time, window, main, drawn, placings, ...made };
}

/** A screen that comes when it is told to. */
function later() {
  /** @type {(screen: Partial<Screen>) => void} */
  let come = () => undefined;
  const slow = new Promise((/** @type {(screen: Partial<Screen>) => void} */ resolve) => {
    come = resolve;
  });
  return { come, slow };
}

/** A screen with something unsaved. @param {boolean} agrees whether the person leaves all the same */
function unsaved(agrees) {
  const asked = { times: 0, agrees };
  return { asked, dirty: (/** @type {string} */ path) => path !== '/check', guard: async () => {
    asked.times += 1;
    return asked.agrees;
  } };
}

test('the screen of the address is drawn without taking the focus', async () => {
  const { drawn, placings, window } = await world({ path: '/edit?a=1' });

  assert.deepEqual([drawn, placings], [['/edit'], [{ focus: false, scroll: 0 }]]);
  assert.equal(window.history.scrollRestoration, 'manual');
});

test('going somewhere changes the address, draws the screen and tells the person', async () => {
  const { drawn, navigate, placings, window } = await world();
  await navigate('/edit#city');

  assert.deepEqual(window.walked, ['/', '*/edit#city']);
  assert.deepEqual([drawn.at(-1), placings.at(-1)], ['/edit', { focus: true, scroll: 0 }]);
});

test('going somewhere in place of here leaves nothing to come back to', async () => {
  const { navigate, window } = await world();
  await navigate('/edit');
  await navigate('/check', { replace: true });

  assert.deepEqual(window.walked, ['/', '*/check']);
});

test('a screen that comes when the person is elsewhere is not drawn', async () => {
  const { come, slow } = later();
  const { drawn, navigate } = await world({ screens: { '/slow': slow } });
  const going = navigate('/slow');
  await navigate('/edit');
  come({});
  await going;

  assert.deepEqual(drawn, ['/', '/edit']);
});

test('while a screen is fetched something stands in its place, once the page before it is closed', async () => {
  let closed = 0;
  const { come, slow } = later();
  const { drawn, main, navigate } = await world({ screens: { '/': { close: () => (closed += 1) }, '/slow': slow } });
  const going = navigate('/slow');
  await settled();

  assert.deepEqual([main.replaced, closed, main.attributes.has('aria-busy')], [1, 1, true]);
  come({});
  await going;
  assert.deepEqual([drawn, closed], [['/', '/slow'], 1]);
});

test('back draws the screen before, at the place where it was left', async () => {
  const { drawn, navigate, placings, window } = await world();
  window.scrollY = 700;
  await navigate('/edit');
  window.scrollY = 0;
  window.history.go(-1);
  await settled();

  assert.deepEqual([drawn, placings.at(-1)], [['/', '/edit', '/'], { focus: true, scroll: 700 }]);
});

test('moving within a screen draws nothing anew', async () => {
  const { drawn, navigate, window } = await world({ path: '/edit' });
  await navigate('/edit#city');
  const before = drawn.length;
  window.history.go(-1);
  await settled();

  assert.equal(drawn.length, before);
});

test('who keeps what is unsaved stays, with the address as it was', async () => {
  const edit = unsaved(false);
  const { drawn, navigate, window } = await world({ path: '/edit', screens: { '/edit': edit } });
  await navigate('/');

  assert.deepEqual([drawn, window.walked, edit.asked.times], [['/edit'], ['*/edit'], 1]);
});

test('who gives up what is unsaved goes', async () => {
  const edit = unsaved(true);
  const { drawn, navigate } = await world({ path: '/edit', screens: { '/edit': edit } });
  await navigate('/');

  assert.deepEqual([drawn, edit.asked.times], [['/edit', '/'], 1]);
});

test('nobody is asked on the way to a screen that goes on with it, nor where it was decided', async () => {
  const edit = unsaved(false);
  const { drawn, navigate } = await world({ path: '/edit', screens: { '/edit': edit } });
  await navigate('/check');
  await navigate('/edit');
  await navigate('/', { force: true });

  assert.deepEqual([drawn, edit.asked.times], [['/edit', '/check', '/edit', '/'], 0]);
});

test('back is taken back while the person is asked, and stays so when they keep editing', async () => {
  const edit = unsaved(false);
  const { drawn, navigate, window } = await world({ screens: { '/edit': edit } });
  await navigate('/edit');
  window.history.go(-1);
  await settled();

  assert.deepEqual([window.walked, drawn, edit.asked.times], [['/', '*/edit'], ['/', '/edit'], 1]);
});

test('back goes on once the person agreed, and asks no second time', async () => {
  const edit = unsaved(true);
  const { drawn, navigate, window } = await world({ screens: { '/edit': edit } });
  await navigate('/edit');
  window.history.go(-1);
  await settled();

  assert.deepEqual([window.walked, drawn, edit.asked.times], [['*/', '/edit'], ['/', '/edit', '/'], 1]);
});

test('whoever kept editing is asked again at the next try', async () => {
  const edit = unsaved(false);
  const { navigate, window } = await world({ screens: { '/edit': edit } });
  await navigate('/edit');
  window.history.go(-1);
  await settled();
  edit.asked.agrees = true;
  window.history.go(-1);
  await settled();

  assert.deepEqual([window.walked, edit.asked.times], [['*/', '/edit'], 2]);
});

test('a screen is closed when another takes its place', async () => {
  let closed = 0;
  const { navigate } = await world({ path: '/edit', screens: { '/edit': { close: () => (closed += 1) } } });
  assert.equal(closed, 0);
  await navigate('/');

  assert.equal(closed, 1);
});

test('a screen that names its news takes the focus even where it is drawn in passing', async () => {
  const { placings, refresh } = await world({ screens: { '/': { focus: () => undefined } } });
  await refresh({ focus: false });

  assert.deepEqual(placings.map(({ focus }) => focus), [true, true]);
});

test('what changed under the person is drawn where they are', async () => {
  const { placings, refresh, window } = await world();
  window.scrollY = 300;
  await refresh({ focus: false });
  await refresh();

  assert.deepEqual(placings.slice(1), [{ focus: false, scroll: 300 }, { focus: true, scroll: 0 }]);
});

test('leaving goes to an address of the web', async () => {
  const { leave, window } = await world();
  leave('/auth/sign-in?return_to=%2F');

  assert.deepEqual(window.left, ['https://profile.example/auth/sign-in?return_to=%2F']);
});

// eslint-disable-next-line no-script-url -- what must not be opened
for (const url of ['javascript:alert(1)', 'data:text/html,x', 'blob:https://profile.example/1', 'ftp://elsewhere.example/']) {
  test(`leaving for ${url} is refused`, async () => {
    const { leave, window } = await world();

    assert.throws(() => leave(url), TypeError);
    assert.deepEqual(window.left, []);
  });
}

test('a second press while the page is leaving changes nothing; later it counts again', async () => {
  const { leave, time, window } = await world();
  leave('/auth/one');
  await time.advance(999);
  leave('/auth/two');
  await time.advance(1);
  leave('/auth/three');

  assert.deepEqual(window.left.map((url) => url.slice(-5)), ['h/one', 'three']);
});

test('a page that comes back from the browser\'s memory may leave at once', async () => {
  const { leave, window } = await world();
  leave('/auth/one');
  window.dispatchEvent(new Event('pageshow'));
  leave('/auth/two');

  assert.equal(window.left.length, 2);
});

for (const [what, screen, before, asks] of /** @type {[string, Partial<Screen>, 'leave' | 'reload' | '', boolean][]} */ ([
  ['with something unsaved', unsaved(false), '', true],
  ['with nothing to lose', {}, '', false],
  ['that leaves for the gateway, where the draft waits', unsaved(false), 'leave', false],
  ['that loads itself anew', unsaved(false), 'reload', false],
])) {
  test(`the browser ${asks ? 'asks' : 'does not ask'} about closing a page ${what}`, async () => {
    const { leave, reload, window } = await world({ path: '/edit', screens: { '/edit': screen } });
    if (before === 'leave') leave('/auth/step-up');
    if (before === 'reload') reload();
    const event = new Event('beforeunload', { cancelable: true });
    window.dispatchEvent(event);

    assert.deepEqual([event.defaultPrevented, window.reloads], [asks, before === 'reload' ? 1 : 0]);
  });
}

test('a leave that came to nothing is forgotten after five seconds', async () => {
  const { leave, time, window } = await world({ path: '/edit', screens: { '/edit': unsaved(false) } });
  leave('/auth/step-up');
  await time.advance(5001);
  const event = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(event);

  assert.equal(event.defaultPrevented, true);
});

test('a failure is drawn in place of the screen', async () => {
  const { drawn, fail, window } = await world();
  await fail('no connection');

  assert.deepEqual([drawn, window.walked], [['/', 'no connection'], ['*/']]);
});

test('a position that another program left in the history is as good as none', async () => {
  const { navigate, window } = await world();
  window.history.replaceState('odd', '', '/');
  await navigate('/edit');

  assert.deepEqual(window.history.state, { at: 1 });
});

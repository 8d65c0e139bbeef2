import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settled } from '../../stage/spa/clock.mjs';
import { later, unsaved, world } from '../../stage/spa/router.mjs';

/** @import {Screen} from '../../../spa/types.js' */

test('X12 a screen that is slow to come shows a sign of life in place of the old one', async () => {
  const { come, slow } = later();
  const { drawn, main, navigate, signs, time } = await world({ screens: { '/sessions': slow.then((screen) => screen) } });
  // Without anything of its own to show meanwhile.
  const going = navigate('/edit').then(() => navigate('/sessions'));
  await settled();
  const before = main.replaced;
  await time.advance(299);
  assert.deepEqual([signs, drawn], [[], ['/', '/edit']]);
  await time.advance(1);
  assert.deepEqual(signs.length, 1);
  come({});
  await going;

  assert(main.replaced >= before);
  assert.deepEqual(drawn, ['/', '/edit', '/sessions']);
  await time.advance(1000);
  assert.equal(signs.length, 1);
});

test('X12 a slow screen of the same address keeps what it shows, and says that it is waited for', async () => {
  const { come, slow } = later();
  const screens = /** @type {Record<string, Partial<Screen> | Promise<Partial<Screen>>>} */ ({});
  const { main, refresh, signs, time } = await world({ screens });
  screens['/'] = slow;
  const going = refresh();
  await settled();
  const before = main.replaced;
  await time.advance(300);

  assert.deepEqual([signs, main.replaced], [[true], before]);
  come({});
  await going;
});

test('X12 a screen that comes at once is waited for without a word', async () => {
  const { navigate, signs, time } = await world();
  await navigate('/edit');
  await time.advance(1000);

  assert.deepEqual(signs, []);
});

test('a failure that nothing can tell leaves no screen standing', async () => {
  const { main, navigate } = await world({ screens: { '/edit': Promise.reject(new Error('nothing loads')) } });
  main.dataset.screen = '/';

  await assert.rejects(navigate('/edit'), /nothing loads/);
  assert.equal('screen' in main.dataset, false);
});

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

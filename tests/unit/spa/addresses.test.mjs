import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { flowAddress, isScreen, localPath } from '../../../spa/addresses.js';

const ORIGIN = 'https://profile.example';

/** What the gateway's own rule is tried with, too: tests/product/test_return_to.py.
 * @type {{kept: string[], spelled: Record<string, string>, refused: Record<string, string[]>}} */
const SHARED = JSON.parse(readFileSync(new URL('../../stage/return_addresses.json', import.meta.url), 'utf8'));

test('A8 S9 whatever a path back is, it is a page here, however often it is read', () => {
  for (const path of Object.values(SHARED.refused).flat()) {
    const way = localPath(path, ORIGIN);
    const opened = new URL(way, ORIGIN);

    assert.equal(opened.origin, ORIGIN, path);
    assert.equal(opened.pathname + opened.search + opened.hash, way, path);
    assert.equal(localPath(way, ORIGIN), way, path);
    assert.doesNotMatch(decodeURIComponent(opened.pathname), /\/\/|\\|^\/(auth|api|health|problem)(\/|$)/, path);
  }
});

test('A8 S9 what the gateway keeps for a way back is kept here, to the letter', () => {
  for (const path of [...SHARED.kept, ...Object.values(SHARED.spelled)]) assert.equal(localPath(path, ORIGIN), path);
});

test('A8 S9 a link that another reading takes for another host is left to the browser', () => {
  for (const path of ['/.//e', '/..//e', '/%2e//e', '/a/..//e', '/./\\e', '/%61uth/sign-out', '/%ff']) {
    assert.equal(isScreen(new URL(path, ORIGIN), ORIGIN), false, path);
  }
});

for (const [path, leads] of /** @type {[string | null, string][]} */ ([
  ['/edit', '/edit'],
  ['/edit?a=1#city', '/edit?a=1#city'],
  ['/authors', '/authors'],
  ['/a/../edit', '/edit'],
  // What the gateway keeps is kept to the letter, and spelled as it spells it.
  ['/files/a%20b', '/files/a%20b'],
  ['/files/caf%C3%A9?q=%C3%A4#%C3%B6', '/files/caf%C3%A9?q=%C3%A4#%C3%B6'],
  ['/files/100%25', '/files/100%25'],
  ['/files/a b', '/files/a%20b'],
  ['/files/café', '/files/caf%C3%A9'],
  [null, '/'],
  ['', '/'],
  ['edit', '/'],
  ['https://elsewhere.example/', '/'],
  ['//elsewhere.example/edit', '/'],
  ['/\\elsewhere.example', '/'],
  ['/\t/elsewhere.example', '/'],
  // eslint-disable-next-line no-script-url -- what somebody could write into an address
  ['javascript:alert(1)', '/'],
  // No address at all: a parser raises for it.
  ['//[', '/'],
  ['//elsewhere.example:port', '/'],
  // Taken out, the dots leave two slashes to begin with: read again, that is another host.
  ['/.//elsewhere.example', '/'],
  ['/a/..//elsewhere.example', '/'],
  ['/%2e/\\elsewhere.example', '/'],
  ['/files/%ff', '/'],
  // Coming back to these would start something, or show data, or say again that it failed.
  ['/auth/sign-out', '/'],
  ['/auth', '/'],
  ['/api/profile', '/'],
  ['/health/live', '/'],
  ['/edit/../auth/sign-in', '/'],
  ['/problem?type=timeout', '/'],
])) {
  test(`coming back to ${JSON.stringify(path)} leads to ${leads}`, () => {
    assert.equal(localPath(path, ORIGIN), leads);
  });
}

for (const [redirect, address] of /** @type {[string | undefined, string | null][]} */ ([
  ['/auth/step-up?challenge=1', '/auth/step-up?challenge=1&return_to=%2Fcheck'],
  ['/auth/step-up?return_to=/elsewhere', '/auth/step-up?return_to=%2Fcheck'],
  ['/auth/sign-in#x', '/auth/sign-in?return_to=%2Fcheck'],
  [undefined, null],
  ['', null],
  ['/auth', null],
  ['/auth/../api/profile', null],
  ['/auth/%2e%2e/api/profile', null],
  ['/auth/\\..\\..\\edit', null],
  ['//elsewhere.example/auth/x', null],
  ['https://elsewhere.example/auth/x', null],
  ['/edit', null],
])) {
  test(`${JSON.stringify(redirect)} is ${address ? 'the gateway\'s own, and gets the way back' : 'no flow of the gateway'}`, () => {
    assert.equal(flowAddress(redirect, '/check', ORIGIN), address);
  });
}

test('links to screens stay in the page, and all others leave it', () => {
  const links = ['/', '/edit#city', '/problem', '/authors', '/auth/sign-in', '/auth', '/api/openapi.json', '/health/live', 'http://profile.example/', 'https://profile.example:8443/'];

  assert.deepEqual(links.filter((link) => isScreen(new URL(link, ORIGIN), ORIGIN)), ['/', '/edit#city', '/problem', '/authors']);
});

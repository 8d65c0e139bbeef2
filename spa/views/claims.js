// @ts-check
/** Sign-in details: the ID token's claims as a table, each in plain words. */
import { claimsIn } from '../answers.js';
import { request } from '../api.js';
import { h, icon } from '../dom.js';
import { date, has, t } from '../words.js';

const MOMENTS = new Set(['iat', 'exp', 'nbf', 'auth_time']);

export async function view() {
  const { data } = await request('GET', '/api/session/claims');
  const claims = Object.entries(claimsIn(data)).sort(([a], [b]) => a.localeCompare(b));
  return {
    screen: 'claims',
    title: t('claims.title'),
    nodes: [
      h('h1', {}, t('claims.title')),
      h('p', { class: 'lead' }, t('claims.lead')),
      h('aside', { class: 'aside', 'aria-labelledby': 'no-token' },
        icon('shield'),
        h('div', {}, h('h2', { id: 'no-token' }, t('claims.note.title')), h('p', {}, t('claims.note')))),
      // Roles, as small screens lay the cells out as blocks, which have none.
      h('table', { class: 'claims', role: 'table' },
        h('caption', { class: 'heard' }, t('claims.title')),
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, ['claim', 'value', 'meaning'].map((name) => h('th', { scope: 'col', role: 'columnheader' }, t(`claims.${name}`))))),
        h('tbody', { role: 'rowgroup' }, claims.map(([name, value]) => row(name, value)))),
    ],
  };
}

/** @param {string} name @param {unknown} value */
const row = (name, value) =>
  h('tr', { role: 'row' },
    h('th', { scope: 'row', role: 'rowheader' }, h('code', {}, name)),
    h('td', { role: 'cell', class: 'value' }, readable(name, value)),
    h('td', { role: 'cell' }, t(has(`claim.${name}`) ? `claim.${name}` : 'claim.unknown')));

/** @param {string} name @param {unknown} value */
function readable(name, value) {
  if (MOMENTS.has(name) && typeof value === 'number') return date(value * 1000) || String(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

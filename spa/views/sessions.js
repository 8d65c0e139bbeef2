// @ts-check
/** Where you're signed in: each can be ended, or all others at once. */
import { sessionsIn } from '../answers.js';
import { request } from '../api.js';
import { announce, button, h, heard } from '../dom.js';
import { endSessions } from '../ending.js';
import { refresh } from '../router.js';
import { signOut } from '../sign-out.js';
import { ago, t } from '../words.js';

/** @import {ListedSession} from '../types.js' */

export async function view() {
  const { data, now } = await request('GET', '/api/sessions');
  const sessions = sessionsIn(data).sort((a, b) => Number(b.current) - Number(a.current) || b.last_seen_at.localeCompare(a.last_seen_at));
  const above = h('div', { class: 'above' });

  /** @param {string} path @param {string} done */
  async function end(path, done) {
    if (!(await endSessions(path, above))) return;
    await refresh();
    announce(done);
  }

  /** @param {ListedSession} one */
  function row(one) {
    const device = one.device || t('sessions.unknown');
    const seen = one.current ? t('sessions.active.now') : when('sessions.active', one.last_seen_at, now);
    const mfa = one.last_mfa_at ? when('sessions.mfa', one.last_mfa_at, now) : t('sessions.mfa.none');
    const work = one.current ? () => signOut() : () => end(`/api/sessions/${encodeURIComponent(one.id)}`, t('sessions.ended', { device }));
    const sign = button(t('sign-out'), work);
    sign.append(heard(t('sessions.end.what', { device })));
    return h('li', { class: 'session', 'data-session': one.current ? 'current' : 'other' },
      h('div', {},
        h('h2', {}, device, one.current && h('span', { class: 'tag' }, t('sessions.current'))),
        h('p', { class: 'hint' }, [seen, when('sessions.created', one.created_at, now), mfa].join(' · ')),
        h('p', { class: 'hint' }, t(one.current ? 'sessions.end.here' : 'sessions.end.does'))),
      sign);
  }

  return {
    screen: 'sessions',
    title: t('sessions.title'),
    nodes: [
      h('h1', {}, t('sessions.title')),
      h('p', { class: 'lead' }, t('sessions.lead')),
      above,
      h('ul', { class: 'sessions', role: 'list' }, sessions.map(row)),
      ...(sessions.length > 1
        ? [h('div', { class: 'actions apart' }, button(t('sessions.others'), () => end('/api/sessions', t('sessions.others.done')))), h('p', { class: 'hint' }, t('sessions.others.does'))]
        : [h('p', { class: 'hint' }, t('sessions.alone'))]),
    ],
  };
}

/** @param {string} key @param {string} moment @param {number} now */
const when = (key, moment, now) => t(key, { when: ago(Date.parse(moment), now) });

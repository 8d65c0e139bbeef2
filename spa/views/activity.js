// @ts-check
/** Recent activity: what was done with the account, never a value. */
import { activityIn } from '../answers.js';
import { request } from '../api.js';
import { ask } from '../dialog.js';
import { button, h, heard, icon, link } from '../dom.js';
import { endSessions } from '../ending.js';
import { label } from '../fields.js';
import { refresh } from '../router.js';
import { store } from '../store.js';
import { ago, date, has, t } from '../words.js';

/** @import {Activity} from '../types.js' */

/** Whether all other sessions were ended from here just now. */
let ended = false;

export async function view() {
  const { data, now } = await request('GET', '/api/activity');
  const entries = activityIn(data);
  const advice = ended && nextSteps();
  ended = false;
  const above = h('div', { class: 'above' }, advice);

  async function disown() {
    const answer = await ask({
      title: t('disown.go'),
      body: [h('p', {}, t('sessions.others.does'), ' ', t('disown.text'))],
      actions: [['end', t('sessions.others'), 'primary'], ['no', t('not-now'), 'second']],
      escape: 'no',
    });
    if (answer !== 'end' || !(await endSessions('/api/sessions', above))) return;
    ended = true;
    await refresh();
  }

  return {
    screen: 'activity',
    title: t('activity.title'),
    nodes: [
      h('h1', {}, t('activity.title')),
      h('p', { class: 'lead' }, t('activity.lead')),
      above,
      h('div', { class: 'actions' }, button(t('disown.go'), disown), button(t('activity.refresh'), () => refresh(), { kind: 'quiet', busy: t('loading') })),
      entries.length ? h('ul', { class: 'sessions', role: 'list' }, entries.map((one) => row(one, now))) : h('p', { class: 'notice' }, t('activity.none')),
    ],
    ...(advice ? { focus: () => advice.focus() } : {}),
  };
}

/** What ending the sessions leaves to do. */
const nextSteps = () =>
  h('div', { class: 'notice', tabindex: '-1' },
    h('h2', {}, icon('tick'), t('sessions.others.done')),
    h('p', {}, t('disown.next')),
    store.session.change_password && h('p', {}, link(store.session.change_password, t('disown.password'))));

/** @param {Activity} one @param {number} now */
function row({ at, event, outcome, reason, device, network, reference, fields, sessions, current }, now) {
  const moment = Date.parse(at);
  /** The first key that has words. @param {...string} keys */
  const words = (...keys) => keys.filter(has).map((key) => t(key, { fields: fields.map(label).join(', '), n: sessions }))[0];
  // Whoever ended other sessions knows why.
  const told = [words(`activity.${outcome}`), words(current ? '' : `ended.${reason}`, `problem.${reason}.title`)].filter(Boolean).join(': ');
  const from = [device || (network && t('sessions.unknown')), network].filter(Boolean).join(' · ');
  return h('li', { class: 'session', 'data-event': event },
    h('div', {},
      h('h2', {}, words(`activity.${event}`) ?? event, current && h('span', { class: 'tag' }, t('sessions.current'))),
      told && h('p', {}, told),
      h('p', { class: 'hint' }, h('time', { datetime: at }, [ago(moment, now), date(moment)].filter(Boolean).join(', '))),
      h('p', { class: 'hint' },
        from, from && reference && ' · ', reference && heard(`${t('problem.reference')}: `), reference && h('code', {}, reference))));
}

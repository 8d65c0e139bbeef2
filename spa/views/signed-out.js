// @ts-check
/** Signed out: what this is, signing in, and why one was signed out. The path stays. */
import { localPath } from '../addresses.js';
import { button, h, icon } from '../dom.js';
import { waiting } from '../draft.js';
import { takeNote } from '../note.js';
import { leave } from '../router.js';
import { store } from '../store.js';
import { has, t } from '../words.js';

/** @param {URL} url */
export async function view(url) {
  const draft = waiting();
  const ended = store.ended || takeNote('ended');
  const title = t(ended === 'here' ? 'ended.here' : ended ? 'ended.title' : 'home.title');
  const asked = localPath(url.pathname + url.search);
  const returnTo = draft ? (asked === '/check' ? asked : '/edit') : asked;
  /** @param {string} path */
  const go = (path) => () => leave(`${path}?return_to=${encodeURIComponent(returnTo)}`);

  const why = ended && ended !== 'here' && t(has(`ended.${ended}`) ? `ended.${ended}` : 'ended.expired');
  const notice = (why || draft) && h(
    'div', { class: 'notice', role: 'status' },
    h('p', {}, [why, draft && t('ended.draft')].filter(Boolean).join(' ')),
  );

  return {
    screen: 'signed-out',
    title: ended ? title : t('home.sign-in'),
    nodes: [
      h('h1', { class: 'display' }, title),
      notice,
      !why && h('p', { class: 'lead' }, t('home.lead')),
      !ended && !draft && asked !== '/' && h('p', {}, t('home.opening')),
      h('div', { class: 'actions' },
        button(t('home.sign-in'), go(store.session.sign_in), { kind: 'primary' }),
        button(t('home.sign-up'), go(store.session.sign_up))),
      h('aside', { class: 'aside', 'aria-labelledby': 'why' },
        icon('shield'),
        h('div', {}, h('h2', { id: 'why' }, t('home.why.title')), h('p', {}, t('home.why')))),
    ],
  };
}

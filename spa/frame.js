// @ts-check
/** The still part of the page: the person's menu, language, theme and build. */
import { h, icon, link } from './dom.js';
import { label, nameOf } from './fields.js';
import { languageName } from './places.js';
import { reload } from './router.js';
import { signOut } from './sign-out.js';
import { store } from './store.js';
import { LANGUAGE, LANGUAGES, t } from './words.js';

export function drawFrame() {
  const build = document.querySelector('meta[name="version"]')?.getAttribute('content') ?? '';
  const skip = document.querySelector('.skip');
  if (skip) skip.textContent = t('skip');
  slot('footer').replaceChildren(languageSwitch(), themeSwitch('footer'), h('p', { class: 'build' }, t('build', { build })));
  store.addEventListener('session', drawMenu);
  store.addEventListener('profile', drawMenu);
}

let drawn = '';

function drawMenu() {
  const name = store.user ? nameOf(store.profile, store.user) || store.user.username || label('displayName') : '';
  if (drawn === name) return;
  drawn = name;
  slot('account').replaceChildren(...(name ? [accountMenu(name)] : []));
}

/** @param {string} name */
function accountMenu(name) {
  const list = h(
    'div',
    { class: 'menu', id: 'account-menu', hidden: true },
    h('ul', { role: 'list' },
      h('li', {}, link('/', t('profile.title'))),
      h('li', {}, link('/sessions', t('sessions.title'))),
      h('li', {}, link('/activity', t('activity.title'))),
      h('li', {}, link('/sign-in-details', t('claims.title')))),
    languageSwitch(),
    themeSwitch('menu'),
    h('button', { type: 'button', class: 'menu-action', id: 'sign-out', on: { click: () => signOut() } }, t('sign-out')),
  );
  const opener = h(
    'button',
    { type: 'button', class: 'person', 'aria-expanded': 'false', 'aria-controls': 'account-menu', on: { click: () => toggle(Boolean(list.hidden)) } },
    h('span', { class: 'disc', 'aria-hidden': 'true' }, initial(name)),
    h('span', { class: 'person-name' }, name),
    icon('chevron'),
  );
  const node = h('nav', { class: 'account', 'aria-label': t('menu.label') }, opener, list);

  /** @param {boolean} open */
  function toggle(open) {
    list.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    for (const one of list.querySelectorAll('a')) {
      if (one.pathname === location.pathname) one.setAttribute('aria-current', 'page');
      else one.removeAttribute('aria-current');
    }
  }

  node.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || list.hidden) return;
    toggle(false);
    opener.focus();
  });
  node.addEventListener('focusout', (event) => {
    if (event.relatedTarget instanceof Node && !node.contains(event.relatedTarget)) toggle(false);
  });
  list.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('a, .menu-action')) toggle(false);
  });
  document.addEventListener('click', (event) => {
    if (!list.hidden && event.target instanceof Node && !node.contains(event.target)) toggle(false);
  });
  return node;
}

/** @param {string} place */
function themeSwitch(place) {
  const root = document.documentElement;
  const node = h('fieldset', { class: 'theme' }, h('legend', {}, t('theme')));
  for (const choice of ['auto', 'light', 'dark']) {
    const id = `theme-${place}-${choice}`;
    const input = h('input', { type: 'radio', id, name: `theme-${place}`, value: choice, on: { change: () => choose(choice) } });
    input.checked = (root.dataset.theme ?? 'auto') === choice;
    node.append(input, h('label', { for: id }, t(`theme.${choice}`)));
  }

  /** @param {string} choice */
  function choose(choice) {
    if (choice === 'auto') delete root.dataset.theme;
    else root.dataset.theme = choice;
    for (const other of document.querySelectorAll('.theme input')) {
      if (other instanceof HTMLInputElement) other.checked = other.value === choice;
    }
    remember('theme', choice === 'auto' ? '' : choice);
  }

  return node;
}

/** Each language in its own words. */
function languageSwitch() {
  /** @param {string} language */
  function choose(language) {
    remember('language', language);
    reload();
  }

  return h('div', { class: 'language', role: 'group', 'aria-label': t('language') },
    h('span', { class: 'switch-name', 'aria-hidden': 'true' }, t('language')),
    LANGUAGES.map((language) => (language === LANGUAGE
      ? h('span', { class: 'present', 'aria-current': 'true' }, languageName(language, language))
      : h('button', { type: 'button', lang: language, on: { click: () => choose(language) } }, languageName(language, language)))));
}

/** Keeps a choice over visits; '' forgets it. @param {string} name @param {string} choice */
function remember(name, choice) {
  try {
    if (choice) localStorage.setItem(`stepup.${name}`, choice);
    else localStorage.removeItem(`stepup.${name}`);
  } catch {
    // Blocked storage: the choice lasts as long as the page.
  }
}

/** The first letter as people of any script see it. @param {string} name */
function initial(name) {
  const text = name.trim();
  const [first] = Intl.Segmenter ? [...new Intl.Segmenter(LANGUAGE).segment(text)].map(({ segment }) => segment) : text;
  return first?.toLocaleUpperCase(LANGUAGE) ?? '';
}

/** @param {string} id @returns {HTMLElement} */
function slot(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

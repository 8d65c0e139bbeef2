// @ts-check
/** ARIA's combobox. Enter or leaving takes the one choice meant, or what was typed. */
import { announce, h, icon } from './dom.js';
import { meant, offers, only } from './places.js';
import { t } from './words.js';

/** @import {Choice} from './types.js' */

/** @param {HTMLInputElement} input @param {() => Choice[]} choices */
export function combobox(input, choices) {
  const id = `${input.id}-list`;
  const list = h('ul', { id, role: 'listbox', class: 'options', hidden: true, 'aria-label': t('list.open') });
  const opener = h('button', { type: 'button', class: 'opener', tabindex: '-1', 'aria-label': t('list.open'), 'aria-hidden': 'true' }, icon('chevron'));
  for (const [name, value] of Object.entries({ role: 'combobox', 'aria-expanded': 'false', 'aria-controls': id, 'aria-autocomplete': 'list', spellcheck: 'false' })) {
    input.setAttribute(name, value);
  }
  /** @type {Choice[]} */
  let offered = [];
  let active = -1;

  /** @param {string} search */
  function open(search) {
    offered = offers(choices(), search);
    list.replaceChildren(...offered.map(option));
    if (!offered.length) list.append(h('li', { class: 'none', role: 'option', 'aria-disabled': 'true' }, t('list.none')));
    // The words are exactly the one thing that the list could offer.
    if (offered.length === 1 && offered[0]?.label === input.value) return close();
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    list.scrollIntoView({ block: 'nearest' });
    const one = search ? only(offered, search) : offered.find(({ label }) => label === input.value);
    mark(one ? offered.indexOf(one) : -1);
    announce(offered.length ? t('list.count', { n: offered.length }) : t('list.none'));
  }

  function close() {
    list.hidden = true;
    input.setAttribute('aria-expanded', 'false');
    mark(-1);
  }

  /** @param {Choice} one @param {number} index */
  function option(one, index) {
    return h(
      'li',
      { id: `${id}-${index}`, role: 'option', 'aria-selected': 'false', on: { click: () => { choose(index); input.focus(); } } },
      h('span', {}, one.label),
      one.note && h('span', { class: 'note', lang: one.noteLanguage }, one.note),
    );
  }

  /** @param {number} index */
  function mark(index) {
    list.children[active]?.setAttribute('aria-selected', 'false');
    active = index;
    const row = list.children[active];
    row?.setAttribute('aria-selected', 'true');
    row?.scrollIntoView({ block: 'nearest' });
    if (row) input.setAttribute('aria-activedescendant', row.id);
    else input.removeAttribute('aria-activedescendant');
  }

  /** @param {number} index */
  function choose(index) {
    const one = offered[index];
    close();
    if (!one || one.label === input.value) return;
    input.value = one.label;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    // An input method's own Enter and arrows.
    if (event.isComposing) return;
    const shut = list.hidden;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (shut) return open('');
      const step = event.key === 'ArrowDown' ? 1 : -1;
      mark((active + step + offered.length + (active < 0 && step < 0 ? 1 : 0)) % (offered.length || 1));
    } else if (event.key === 'Enter' && !shut && active >= 0) {
      event.preventDefault();
      choose(active);
    } else if (event.key === 'Escape' && !shut) {
      event.preventDefault();
      close();
    }
  }

  input.addEventListener('input', (event) => (event.isTrusted ? open(input.value) : close()));
  input.addEventListener('keydown', key);
  input.addEventListener('blur', ({ relatedTarget }) => relatedTarget === opener || choose(active));
  opener.addEventListener('click', () => {
    if (list.hidden) open('');
    else close();
    input.focus();
  });
  // The list must not take the focus from the field when it is pressed or scrolled.
  list.addEventListener('mousedown', (event) => event.preventDefault());

  const node = h('div', { class: 'combobox' }, input, opener, list);
  return {
    node,
    get value() {
      return meant(choices(), input.value);
    },
    set value(value) {
      input.value = choices().find((one) => one.value === value)?.label ?? value;
    },
  };
}

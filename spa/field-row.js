// @ts-check
/** One field of the edit form. */
import { combobox } from './combobox.js';
import { h, icon } from './dom.js';
import { FIELDS, label, shown, tidy } from './fields.js';
import { countries, spoken } from './places.js';
import { isTag } from './vocabulary.js';
import { has, t } from './words.js';

/** @param {string} name @param {string | null} before what the profile holds @param {string | null} [now] what a draft says */
export function fieldRow(name, before, now = before) {
  const field = FIELDS.get(name) ?? { limit: 0, autocomplete: 'off' };
  const hint = has(`hint.${name}`) && h('p', { class: 'hint', id: `${name}-hint` }, t(`hint.${name}`));
  const error = h('p', { class: 'field-error', id: `${name}-error`, hidden: true });
  const changed = h('span', { class: 'changed', id: `${name}-changed`, hidden: true }, t('edit.changed'));
  const attributes = { id: name, name, autocomplete: field.autocomplete, 'aria-required': field.required ? 'true' : null };
  const line = h('input', { ...attributes, type: 'text', dir: 'auto', class: field.narrow ? 'narrow' : null });
  const input = field.lines ? h('textarea', { ...attributes, rows: 3, dir: 'auto' }) : line;
  const box = field.kind === 'country' ? combobox(line, countries) : field.kind === 'language' ? combobox(line, spoken) : null;

  /** @param {string | null} value */
  function show(value) {
    // A field of one line loses line breaks, and words would grow together.
    input.value = field.lines ? shown(name, value) : shown(name, value).replace(/\n+/g, ' ');
    if (box && value) box.value = value;
  }

  /** As the directory has it: with the line breaks that were there, a language by its shortest tag.
   * @param {string | null} typed */
  function kept(typed) {
    if (typed && field.kind === 'language' && isTag(typed)) return Intl.getCanonicalLocales(typed)[0] ?? typed;
    return typed && before?.includes('\r\n') ? typed.replace(/\n/g, '\r\n') : typed;
  }

  const described = () => {
    const ids = [hint && hint.id, !error.hidden && error.id, !changed.hidden && changed.id].filter(Boolean);
    if (ids.length) input.setAttribute('aria-describedby', ids.join(' '));
    else input.removeAttribute('aria-describedby');
  };

  const node = h(
    'div',
    { class: 'field', 'data-field': name },
    h('div', { class: 'label-line' }, h('label', { for: name }, label(name)), changed),
    hint,
    error,
    box ? box.node : input,
  );
  show(before);
  const initial = input.value;
  if (now !== before) show(now);
  described();

  return {
    name,
    node,
    input,
    /** What would be sent. An untouched value is exactly what it was, whatever it is. */
    get value() {
      return input.value === initial ? before : kept(tidy(box ? box.value : input.value));
    },
    /** @param {boolean} is */
    mark(is) {
      changed.hidden = !is;
      node.classList.toggle('is-changed', is);
      described();
    },
    /** @param {string} sentence '' takes the error away */
    fail(sentence) {
      error.replaceChildren(...(sentence ? [icon('alert'), sentence] : []));
      error.hidden = !sentence;
      if (sentence) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      node.classList.toggle('is-wrong', Boolean(sentence));
      described();
    },
  };
}

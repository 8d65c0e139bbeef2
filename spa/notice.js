// @ts-check
/** Faults shown in place: a summary of wrong fields, or a problem. */
import { h, icon } from './dom.js';
import { lookAgain } from './look-again.js';
import { problemWords, referenceLine, waitLine } from './problem-words.js';
import { t } from './words.js';

/** @import {ApiError} from './types.js' */

/** @param {{field: string, text: string}[]} faults @param {(field: string) => void} goTo */
export function summary(faults, goTo) {
  return h(
    'div', { class: 'notice fault summary-box', tabindex: '-1', role: 'alert', 'aria-labelledby': 'summary-title' },
    h('h2', { id: 'summary-title' }, icon('alert'), t('summary.title')),
    h('ul', {}, faults.map(({ field, text }) =>
      h('li', {}, field
        ? h('a', { href: `#${field}`, on: { click: (event) => { event.preventDefault(); goTo(field); } } }, text)
        : text))),
  );
}

/** @param {ApiError} error @param {{wrote?: boolean}} [how] `wrote`: a change was being saved; of other data nothing is said */
export function problemNotice(error, { wrote = false } = {}) {
  const words = problemWords(error, { wrote });
  return h(
    'div', { class: 'notice fault', tabindex: '-1', role: 'alert', 'data-problem': error.slug },
    h('h2', {}, icon('alert'), words.title),
    h('p', {}, words.happened, wrote && ` ${words.data}`),
    words.todo ? [h('p', {}, words.todo), waitLine(error.retryAfter)] : lookAgain(),
    referenceLine(words.reference),
  );
}

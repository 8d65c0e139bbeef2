// @ts-check
/** The words for a problem, by its type or else the server's; `todo` is '' where nobody knows whether it was saved. */
import { clock } from './clock.js';
import { h } from './dom.js';
import { waiting } from './draft.js';
import { has, span, t } from './words.js';

/** @import {ApiError} from './types.js' */

/** Problems that touch no changes, and that leave open whether they were made. */
const NOTHING = ['not-found', 'sign-in-cancelled', 'sign-in-failed', 'misdirected-request', 'cookie-not-kept'];
const UNSURE = ['offline', 'unreachable', 'timeout', 'unexpected-answer', 'edit-in-progress', 'internal-error'];

/** @param {ApiError} error @param {{wrote?: boolean}} [how] `wrote`: a change was being saved */
export function problemWords(error, { wrote = false } = {}) {
  const slug = slugOf(error);
  const known = slug === error.slug;
  const data = consequence(error, wrote);
  return {
    title: (!known && error.title) || t(`problem.${slug}.title`),
    happened: (!known && error.detail) || t(`problem.${slug}.happened`),
    data: t(`data.${data}`),
    todo: data === 'unsure' ? '' : t(`problem.${slug}.todo`),
    reference: error.reference,
  };
}

/** @param {ApiError} error */
const slugOf = ({ slug }) => (has(`problem.${slug}.title`) ? slug : 'unexpected-answer');

/** @param {ApiError} error */
export const isUnsure = (error) => error.unsure || UNSURE.includes(slugOf(error));

/** Kept changes are only spoken of where there are some, doubt only where something was sent.
 * @param {ApiError} error @param {boolean} wrote */
function consequence(error, wrote) {
  if (wrote && isUnsure(error)) return 'unsure';
  return !NOTHING.includes(slugOf(error)) && waiting() ? 'kept' : 'nothing';
}

/** What support finds the request by. @param {string} reference */
export const referenceLine = (reference) => reference && h('p', { class: 'reference' }, t('problem.reference'), ': ', h('code', {}, reference));

/** How long to wait, counted down for the eye. @param {number} seconds */
export const waitLine = (seconds) =>
  (seconds ? countdown(seconds, 'problem.wait', (line) => (line.textContent = t('problem.wait.over'))) : null);

/** A line that counts down, and what is due then, while it is on the screen.
 * @param {number} seconds @param {string} words @param {(line: HTMLElement) => unknown} due */
export function countdown(seconds, words, due) {
  const end = clock.now() + seconds * 1000;
  const line = h('p', { class: 'wait' }, t(words, { span: span(seconds) }));
  const stop = clock.every(1000, () => {
    const left = (end - clock.now()) / 1000;
    if (left > 0) line.textContent = t(words, { span: span(Math.ceil(left)) });
    else if (line.isConnected) due(line);
    if (left <= 0 || !line.isConnected) stop();
  });
  return line;
}

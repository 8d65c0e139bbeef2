// @ts-check
/** Puts a screen in place: its nodes, the page's title, focus and scroll; or that it is to come. */
import { announce, h, nodes } from './dom.js';
import { t } from './words.js';

/** @import {Placing, Screen} from './types.js' */

/** @param {HTMLElement} main @param {Screen} screen @param {Placing} placing */
export function put(main, screen, { focus, scroll }) {
  main.dataset.screen = screen.screen;
  if (screen.problem) main.dataset.problem = screen.problem;
  else delete main.dataset.problem;
  retitle(screen.title, screen.error);
  main.replaceChildren(...nodes(screen.nodes));
  main.removeAttribute('aria-busy');
  const heading = main.querySelector('h1');
  heading?.setAttribute('tabindex', '-1');
  scrollTo(0, scroll);
  if (!focus) return;
  if (screen.focus) screen.focus();
  else heading?.focus({ preventScroll: true });
}

/** Says so aloud, and for the eye where nothing of it is there.
 * @param {HTMLElement} main @param {boolean} begun */
export function putSign(main, begun) {
  announce(t('loading'));
  if (begun) return;
  retitle(t('loading'));
  main.append(h('p', { class: 'loading' }, t('loading')));
}

/** @param {string} screen @param {boolean} [error] */
export function retitle(screen, error = false) {
  const title = t('title', { screen });
  document.title = error ? t('title.error', { title }) : title;
}

// @ts-check
/** A question that waits for an answer, in the page's own dialog. */
import { h } from './dom.js';

/** @import {Dialog} from './types.js' */

let count = 0;
/** @type {Set<(answer: string) => void>} */
const open = new Set();

/** Ends every open question unanswered: the person it was put to is gone. */
export function closeAll() {
  for (const finish of [...open]) finish('');
}

/** @param {Dialog} question @returns {Promise<string>} */
export function ask({ title, body, actions, escape = actions[0]?.[0] ?? '', onOpen }) {
  return new Promise((resolve) => {
    const back = document.activeElement;
    const id = `dialog-${(count += 1)}`;
    const buttons = actions.map(([answer, label, kind], index) =>
      h('button', { type: 'button', class: `button ${kind}`, autofocus: index === 0, on: { click: () => finish(answer) } }, label));
    const dialog = h(
      'dialog',
      { role: 'alertdialog', 'aria-labelledby': `${id}-title`, 'aria-describedby': `${id}-body` },
      h('h2', { id: `${id}-title` }, title),
      h('div', { id: `${id}-body` }, body),
      h('div', { class: 'actions' }, buttons),
      h('p', { class: 'heard', role: 'status' }),
    );

    /** @param {string} answer */
    function finish(answer) {
      if (!open.delete(finish)) return;
      dialog.close();
      dialog.remove();
      if (back instanceof HTMLElement && back.isConnected) back.focus();
      resolve(answer);
    }

    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      finish(escape);
    });
    document.body.append(dialog);
    dialog.showModal();
    open.add(finish);
    buttons[0]?.focus();
    onOpen?.(finish);
  });
}

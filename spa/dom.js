// @ts-check
/** Builds elements. Text only ever goes in as text: there is no way to pass markup. */

/** @import {Build, ButtonOptions, Child} from './types.js' */

const SVG = 'http://www.w3.org/2000/svg';

/** Line drawings on a 24 by 24 grid. */
const ICONS = new Map([
  ['tick', 'M5 12.5l4.5 4.5L19 7.5'],
  ['chevron', 'M6 9.5l6 6 6-6'],
  ['alert', 'M12 7.5v6M12 17.2v.1M12 3.2 21.5 20h-19z'],
  ['shield', 'M12 3l7.5 3v5.5c0 4.6-3 8-7.5 9.5-4.5-1.5-7.5-4.9-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5'],
  ['arrow', 'M5 12h14M13 6l6 6-6 6'],
]);

/** An element. `on` holds listeners; `false` and `null` leave an attribute out; `true` sets it empty. @type {Build} */
export function h(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, /** @type {EventListener} */ (listener));
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on') || name === 'style' || name === 'srcdoc' || typeof value === 'object' && value !== null) {
      throw new TypeError(`${name} is not set as an attribute here`);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...nodes(children));
  return element;
}

/** What there is of the children, in order. @param {(Child | Child[])[]} children */
export function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false && child !== '')
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** A link within the page. @param {string} path @param {...Child} children */
export const link = (path, ...children) => h('a', { href: path }, ...children);

/** A decorative drawing, hidden from assistive technology. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS.get(name) ?? '');
  svg.append(path);
  return svg;
}

/** A button that does one thing at a time, and stays focusable.
 * @param {string} label @param {(event: Event) => unknown} work @param {ButtonOptions} [options] */
export function button(label, work, { kind = 'second', busy = '', type = 'button' } = {}) {
  let running = false;
  const element = h('button', { type, class: `button ${kind}` }, label);
  element.addEventListener('click', async (event) => {
    if (running) return event.preventDefault();
    const answer = work(event);
    if (!(answer instanceof Promise)) return undefined;
    running = true;
    element.setAttribute('aria-disabled', 'true');
    if (busy) element.textContent = busy;
    try {
      await answer;
    } finally {
      running = false;
      element.removeAttribute('aria-disabled');
      if (busy) element.textContent = label;
    }
    return undefined;
  });
  return element;
}

/** Words that are only heard. @param {string} text */
export const heard = (text) => h('span', { class: 'heard' }, text);

/** Says something through the status line: an open dialog's or the page's.
 * @param {string} text */
export function announce(text) {
  const line = [...document.querySelectorAll('dialog[open] [role=status]')].at(-1) ?? document.getElementById('status');
  if (!line) return;
  line.textContent = '';
  // A change of text is announced; the same text twice in one go is not.
  setTimeout(() => (line.textContent = text), 60);
}

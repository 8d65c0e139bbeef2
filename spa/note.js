// @ts-check
/** One remark from screen to screen, over a reload too. Never personal data. */
import { tab } from './tab-memory.js';

/** @param {string} name */
const key = (name) => `stepup.note.${name}`;

/** @param {string} name @param {string} text */
export const leaveNote = (name, text) => tab.set(key(name), text);

/** @param {string} name */
export function takeNote(name) {
  const text = tab.get(key(name)) ?? '';
  tab.remove(key(name));
  return text;
}

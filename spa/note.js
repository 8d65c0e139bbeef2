// @ts-check
/**
 * One small remark from one screen to the next, over a reload too: which field to open, that a step-up was begun.
 * Never personal data.
 *
 *   leaveNote('field', 'city');  takeNote('field') // 'city', once
 */

/** @type {Map<string, string>} */
const memory = new Map();

/** @param {string} name @param {string} text */
export function leaveNote(name, text) {
  memory.set(name, text);
  try {
    sessionStorage.setItem(`stepup.note.${name}`, text);
  } catch {
    // Blocked storage: the note does not survive a reload.
  }
}

/** @param {string} name @returns {string} */
export function takeNote(name) {
  let text = memory.get(name) ?? '';
  memory.delete(name);
  try {
    text = sessionStorage.getItem(`stepup.note.${name}`) ?? text;
    sessionStorage.removeItem(`stepup.note.${name}`);
  } catch {
    // Blocked storage: memory has it.
  }
  return text;
}

// @ts-check
/** Asks before what was written is lost: by leaving the form, or by throwing it away. */
import { ask } from './dialog.js';
import { h } from './dom.js';
import { discard } from './saving.js';
import { t } from './words.js';

/** @import {Draft} from './types.js' */

/** @param {Draft | null} draft @param {'leave' | 'discard'} how which words */
export async function agreedToLose(draft, how) {
  const answer = await ask({
    title: t(`${how}.title`),
    body: [h('p', {}, t('lose.text', { n: Object.keys(draft?.changes ?? {}).length }))],
    actions: [['stay', t(`${how}.stay`), 'primary'], ['go', t(`${how}.go`), 'second']],
  });
  if (answer === 'go') await discard(draft);
  return answer === 'go';
}

// @ts-check
/** Confirm it's you: why, what will happen, what is kept. */
import { button, h, icon } from '../dom.js';
import { keep, load } from '../draft.js';
import { label } from '../fields.js';
import { takeNote } from '../note.js';
import { navigate } from '../router.js';
import { goConfirm } from '../step-up.js';
import { store } from '../store.js';
import { t } from '../words.js';

export async function view() {
  const draft = load(store.user?.id);
  const fields = Object.keys(draft?.changes ?? {});
  const parked = Boolean(draft?.parked);
  const address = store.user?.email_hint;

  function go() {
    const returnTo = parked ? '/check' : '/edit';
    if (store.mayEdit && !draft?.parked?.redirect) return navigate(returnTo);
    const redirect = draft?.parked?.redirect;
    // The challenge works once; what it protects stays parked.
    if (draft?.parked) keep({ ...draft, parked: { ...draft.parked, redirect: '' } });
    return goConfirm(redirect, returnTo);
  }

  function stay() {
    takeNote('field');
    return navigate('/');
  }

  return {
    screen: 'confirm',
    title: t('problem.step-up-required.title'),
    nodes: [
      h('div', { class: 'emblem' }, icon('shield')),
      h('h1', {}, t('problem.step-up-required.title')),
      h('p', { class: 'lead' }, t('confirm.why')),
      h('ol', { class: 'steps', role: 'list' },
        h('li', {}, t('confirm.step.1')),
        h('li', {}, address ? t('confirm.step.2', { address }) : t('confirm.step.2.unknown')),
        h('li', {}, t(parked ? 'confirm.step.3.check' : 'confirm.step.3.edit'))),
      fields.length > 0 && h('div', { class: 'notice amber' },
        h('p', {}, h('strong', {}, t('confirm.kept', { n: fields.length })), `: ${fields.map(label).join(', ')}.`),
        h('p', {}, t('confirm.kept.more'))),
      h('div', { class: 'actions' },
        button(t('continue'), go, { kind: 'primary' }),
        button(t('not-now'), stay)),
    ],
  };
}

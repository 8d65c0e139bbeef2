/** Somebody who is about to save, with everything that saving talks to. */
import { drafts } from '../../../spa/draft.js';
import { savings } from '../../../spa/saving.js';
import { tabMemory } from '../../../spa/tab-memory.js';
import { HandClock } from './clock.mjs';
import { Network, json } from './network.mjs';
import { storeWith } from './people.mjs';
import { storage } from './storage.mjs';

/** The profile once the draft is saved. */
export const PROFILE = { city: 'Turin' };

/** A draft over London, and a directory that says Rome by now. */
export async function world({ path = '/edit' } = {}) {
  const time = new HandClock();
  const network = new Network(time.clock);
  const store = await storeWith(time, network);
  const kept = storage();
  const own = drafts({ memory: tabMemory(() => kept), now: time.clock.now, newKey: () => 'key-1' });
  /** @type {string[]} */
  const steps = [];
  const made = savings({
    request: network.request,
    store,
    drafts: own,
    navigate: async (to, { replace = false, force = false } = {}) => void steps.push(`${replace ? 'replace' : 'go'} ${to}${force ? '' : ', asking'}`),
    path: () => path,
    tell: (news) => void steps.push(`tell ${news}`),
    announce: (text) => void steps.push(`say ${text}`),
    now: time.clock.now,
  });
  const draft = own.withChanges(own.begin('ada', { city: 'London' }, '"1"'), { city: 'Turin' });
  network.answer('GET /api/profile', () => json({ city: 'Rome' }, { headers: { ETag: '"2"' } }));
  return { time, network, store, own, steps, draft, ...made };
}

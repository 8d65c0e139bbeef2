// @ts-check
/**
 * The draft of an edit: in this tab's sessionStorage, for one person, for an hour, gone on save and sign-out.
 *
 *   keep({...draft, changes});  const draft = load(user.id);  drop();
 *
 * Another person's draft is deleted unread. Where storage is blocked the draft lives as long as the page.
 */

const KEY = 'stepup.draft';
const LIFE = 60 * 60 * 1000;

/**
 * @typedef {{id: string, expires_at: string, redirect?: string}} Parked
 * @typedef {{user: string, base: Record<string, string | null>, changes: Record<string, string | null>, etag: string,
 *   key: string, parked?: Parked | null, until?: number}} Draft
 */

/** @type {string | null} */
let memory = null;

/** The draft of this person, or null. @param {string | undefined} user @returns {Draft | null} */
export function load(user) {
  const draft = read();
  if (!draft) return null;
  if (user && draft.user === user) return draft;
  drop();
  return null;
}

/** Whether somebody's draft is waiting here; says nothing about what is in it. */
export const waiting = () => read() !== null;

/** @param {Omit<Draft, 'until'>} draft @returns {Draft} */
export function keep(draft) {
  const kept = { ...draft, until: Date.now() + LIFE };
  memory = JSON.stringify(kept);
  try {
    sessionStorage.setItem(KEY, memory);
  } catch {
    // Blocked or full: memory has it.
  }
  return kept;
}

export function drop() {
  memory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Blocked: it was never there.
  }
}

/** A new draft that starts from the profile as it is. @param {string} user @param {Record<string, string | null>} base @param {string} etag */
export const begin = (user, base, etag) => /** @type {Draft} */ ({ user, base: { ...base }, changes: {}, etag, key: crypto.randomUUID(), parked: null });

/** The same draft with other changes, or over another version: a new attempt, so a new key, and what was parked no longer fits.
 * @param {Draft} draft @param {Record<string, string | null>} changes @param {string} [etag] */
export function withChanges(draft, changes, etag = draft.etag) {
  if (etag === draft.etag && JSON.stringify(draft.changes) === JSON.stringify(changes)) return draft;
  return { ...draft, changes, etag, key: crypto.randomUUID(), parked: null };
}

/** The draft against the profile as it is now, and the fields that were changed on both sides. A draft without any
 * such field simply starts from the present profile.
 * @param {Draft} draft @param {Record<string, string | null>} profile @param {string} etag */
export function rebase(draft, profile, etag) {
  const mine = new Map(Object.entries(draft.changes).filter(([name, value]) => value !== (profile[name] ?? null)));
  const conflicts = [...mine.keys()].filter((name) => (draft.base[name] ?? null) !== (profile[name] ?? null));
  const fresh = withChanges(draft, Object.fromEntries(mine), conflicts.length ? draft.etag : etag);
  return { draft: conflicts.length ? fresh : { ...fresh, base: { ...profile } }, conflicts };
}

/** @returns {Draft | null} */
function read() {
  try {
    memory = sessionStorage.getItem(KEY);
  } catch {
    // Blocked: what memory has is all there is.
  }
  try {
    const draft = JSON.parse(memory ?? 'null');
    if (!draft || typeof draft.user !== 'string' || typeof draft.changes !== 'object') return null;
    if (!(draft.until > Date.now())) {
      drop();
      return null;
    }
    return draft;
  } catch {
    drop();
    return null;
  }
}

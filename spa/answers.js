// @ts-check
/** The gateway's answers, by type. What is odd is as if it were not there. */
import { ApiError } from './api-error.js';
import { list, members, text, texts, values } from './json.js';

/** @import {Change, Session, Values} from './types.js' */

/** @param {unknown} data */
function object(data) {
  const found = members(data);
  if (!found) throw new ApiError('unexpected-answer');
  return found;
}

/** `GET /api/session`. @param {unknown} data @returns {Session} */
export function sessionIn(data) {
  const all = object(data);
  const user = all.authenticated === true ? object(all.user) : null;
  if (user && !text(user.id)) throw new ApiError('unexpected-answer');
  return {
    user: user && texts(user, 'id', 'name', 'username', 'email_hint'),
    expires: texts(all.expires, 'idle_at', 'absolute_at'),
    access: values(all.access),
    sign_in: text(all.sign_in) || '/auth/sign-in',
    sign_up: text(all.sign_up) || '/auth/sign-up',
    sign_out: text(all.sign_out) || '/auth/sign-out',
    step_up: text(all.step_up) || '/auth/step-up?action=profile.edit',
    reason: text(all.reason),
    change_password: /^https?:\/\//.test(text(all.change_password)) ? text(all.change_password) : '',
  };
}

/** Nobody is signed in. */
export const SIGNED_OUT = sessionIn({});

/** `GET` and `PATCH /api/profile`. @param {unknown} data @returns {Values} */
export const profileIn = (data) => values(object(data));

/** `GET /api/parked-edits/{id}`. @param {unknown} data @returns {Change[]} */
export const changesIn = (data) =>
  list(object(data).changes).map((one) => ({ field: text(one.field), from: text(one.from) || null, to: text(one.to) || null }));

/** `GET /api/sessions`. @param {unknown} data */
export const sessionsIn = (data) =>
  list(object(data).sessions).map((one) => ({
    ...texts(one, 'id', 'device', 'created_at', 'last_seen_at', 'last_mfa_at'),
    current: one.current === true,
  }));

/** `GET /api/activity`. @param {unknown} data */
export const activityIn = (data) =>
  list(object(data).entries).map((one) => ({
    ...texts(one, 'at', 'event', 'outcome', 'reason', 'device', 'network', 'reference'),
    fields: Array.isArray(one.fields) ? one.fields.map(text) : [],
    sessions: Number(one.sessions) || 0,
    current: members(one.session)?.current === true,
  }));

/** `GET /api/session/claims`. @param {unknown} data */
export const claimsIn = (data) => members(object(data).claims) ?? {};

/** Where `POST /auth/sign-out` sends the browser. @param {unknown} data */
export const redirectIn = (data) => text(object(data).redirect) || '/';

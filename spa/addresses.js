// @ts-check
/** Which addresses belong to this page: what may be followed, and where to come back to. */
import { connect } from './client.js';

/** The gateway's own paths, and two slashes: read again, what a parser leaves of `/.//host` is another host. */
const NO_SCREEN = /^\/(auth|api|health)(\/|$)|\/\/|\\/;

/** @param {string} path @param {string} origin */
function parsed(path, origin) {
  try {
    return new URL(path, origin);
  } catch {
    return null;
  }
}

/** An address of the gateway's own flows with the way back on it; null for anything else.
 * @param {string | undefined} redirect @param {string} returnTo @param {string} [origin] */
export function flowAddress(redirect, returnTo, origin = location.origin) {
  try {
    return connect({ world: { location: { href: origin } } }).flowUrl(redirect ?? '', returnTo);
  } catch {
    return null;
  }
}

/** A path of this page, for coming back to; '/' for anything else. @param {string | null} path @param {string} [origin] */
export function localPath(path, origin = location.origin) {
  const url = path?.startsWith('/') ? parsed(path, origin) : null;
  return url && isScreen(url, origin) && !/^\/problem(\/|$)/.test(decoded(url.pathname)) ? url.pathname + url.search + url.hash : '/';
}

/** Whether a link leads to one of our own screens. @param {URL} url @param {string} origin */
export const isScreen = (url, origin) => url.origin === origin && !NO_SCREEN.test(decoded(url.pathname));

/** As whoever decodes it reads it. @param {string} path */
function decoded(path) {
  try {
    return decodeURIComponent(path);
  } catch {
    return '//';
  }
}

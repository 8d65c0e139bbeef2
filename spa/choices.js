// @ts-check
/**
 * Sets the chosen theme and language before anything is drawn. A classic script in the head, so that no wrong colour
 * flashes. The choices are the only things in localStorage; they say nothing about the person. `frame.js` changes them.
 */
(() => {
  'use strict';
  const root = document.documentElement;
  /** @param {string} name */
  const chosen = (name) => {
    try {
      return localStorage.getItem(`stepup.${name}`) ?? '';
    } catch {
      return ''; // Blocked storage: the system's theme, the browser's language.
    }
  };
  const theme = chosen('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const wanted = [chosen('language'), ...navigator.languages].map((tag) => tag.split('-')[0] ?? '');
  root.lang = wanted.find((language) => ['en', 'de'].includes(language)) ?? 'en';
})();

// @ts-check
/**
 * Loads the page once more when a part of the client can't be fetched, and says so when that doesn't help: no module
 * runs then that could. A classic script in the head, so that it listens before the first module is asked for.
 */
(() => {
  'use strict';
  addEventListener('error', ({ target }) => {
    if (!(target instanceof HTMLScriptElement) || target.type !== 'module') return;
    const [navigation] = performance.getEntriesByType('navigation');
    if (navigation instanceof PerformanceNavigationTiming && navigation.type !== 'reload') return location.reload();
    document.querySelector('.loading')?.setAttribute('hidden', '');
    document.getElementById('not-loaded')?.removeAttribute('hidden');
    document.getElementById('main')?.removeAttribute('aria-busy');
  }, true);
})();

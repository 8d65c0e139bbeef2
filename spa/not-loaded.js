// @ts-check
/**
 * Says so when a part of the client can't be fetched: no module runs then that could. A classic script in the head, so
 * that it listens before the first module is asked for.
 */
(() => {
  addEventListener('error', ({ target }) => {
    if (!(target instanceof HTMLScriptElement) || target.type !== 'module') return;
    document.querySelector('.loading')?.setAttribute('hidden', '');
    document.getElementById('not-loaded')?.removeAttribute('hidden');
    document.getElementById('main')?.removeAttribute('aria-busy');
  }, true);
})();

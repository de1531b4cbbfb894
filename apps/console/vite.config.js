/** Everything is a file of its own below /console/assets: the page's policy allows nothing inline and nothing from elsewhere. */
export default {
  base: '/console/',
  resolve: { conditions: ['source', 'module', 'browser'] },
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
};

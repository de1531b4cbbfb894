import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { slugOf } from '../slug.js';
import { copyLinked, siteLinks } from './links.js';
import { HIDDEN, sidebar } from './pages.js';

/** Where the site will stand below its host, such as /session-ledger/. */
const base = process.env.DOCS_BASE ?? '/';

const installed = (module) => fileURLToPath(import.meta.resolve(module));

export default defineConfig({
  title: 'Session Ledger',
  description: 'The one place that knows which session is current for a user and a project',
  base,
  // The pages stay where a reader of the repository looks for them.
  srcDir: '../..',
  srcExclude: HIDDEN,
  rewrites: (page) => page.replace(/README\.md$/, 'index.md'),
  outDir: '../../dist/site',
  cacheDir: 'node_modules/.cache',
  cleanUrls: true,
  markdown: { anchor: { slugify: slugOf }, config: siteLinks(base) },
  // A page lies outside the folder where the generator is installed, and would not find it.
  vite: {
    resolve: {
      alias: [
        { find: /^vue$/, replacement: installed('vue/dist/vue.runtime.esm-bundler.js') },
        { find: /^vue\/server-renderer$/, replacement: installed('vue/server-renderer') },
      ],
    },
  },
  buildEnd: copyLinked,
  themeConfig: {
    sidebar: sidebar(),
    outline: 'deep',
    search: { provider: 'local' },
  },
});

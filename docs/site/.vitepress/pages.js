import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Folders without pages for readers. */
export const HIDDEN = ['apps', 'dist', 'docker', 'docs/site', 'test', '**/node_modules'].map(
  (folder) => `${folder}/**`,
);

const below = (folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);

/** The order in which a newcomer reads, as the README has it. */
const GROUPS = {
  'Get started': ['README.md', 'docs/tutorial.md', 'docs/concepts.md'],
  'Build with it': [
    'libs/client/README.md',
    'docs/client/start.md',
    'docs/client/switch.md',
    'docs/client/release.md',
    'docs/client/follow.md',
    'docs/client/resolve.md',
    'docs/client/test.md',
    'libs/client-python/README.md',
    'examples/README.md',
    ...readdirSync(join(root, 'examples'))
      .map((example) => `examples/${example}/README.md`)
      .filter((page) => existsSync(join(root, page))),
  ],
  Reference: ['docs/commands.md', 'docs/chains.md', 'docs/history.md'],
  'Run it': [
    'docs/running.md',
    'docs/access.md',
    'docs/console.md',
    'docs/outages.md',
    'docs/limits.md',
    'docs/load.md',
  ],
  'Judge it': [
    'docs/performance.md',
    'docs/performance-log.md',
    'docs/audit.md',
    'docs/checker.md',
    'SECURITY.md',
  ],
  'The project': [
    'CHANGELOG.md',
    'libs/client-python/CHANGELOG.md',
    'CONTRIBUTING.md',
    'docs/adding-a-command.md',
  ],
};

function titleOf(page) {
  const text = readFileSync(join(root, page), 'utf8');
  return (/^# (.+)$/m.exec(text)?.[1] ?? page).replaceAll('`', '');
}

/** The address of a page on the site, without its base. */
export const addressOf = (page) => `/${page.replace(/README\.md$/, '').replace(/\.md$/, '')}`;

const items = (pages) => pages.map((page) => ({ text: titleOf(page), link: addressOf(page) }));

/** What the site shows at its left. A page that no group names stands under "Run it". */
export function sidebar() {
  const named = Object.values(GROUPS).flat();
  const others = below('docs').filter((page) => !named.includes(page));
  const groups = Object.entries(GROUPS).map(([text, pages]) => ({
    text,
    items: items(text === 'Run it' ? [...pages, ...others] : pages),
  }));
  return [...groups, { text: 'Decisions', collapsed: true, items: items(below('docs/decisions')) }];
}

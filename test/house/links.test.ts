import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { slugOf } from '../../docs/site/slug.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NO_PAGES = ['node_modules', 'dist', '.git', '.data', '.venv', '.pytest_cache'];

function pagesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NO_PAGES.includes(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** A page without its code, in which nothing is a link or a heading. */
const textOf = (page: string) =>
  readFileSync(join(root, page), 'utf8')
    .replace(/^```[\s\S]*?^```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]<>]/g, ''));

/** What a link may name behind `#`: headings as GitHub names them, and what has an id. */
function anchorsOf(page: string): Set<string> {
  const text = textOf(page);
  const seen = new Map<string, number>();
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => {
    const slug = slugOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', ''));
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
  return new Set([...headings, ...[...text.matchAll(/\bid="([^"]+)"/g)].map(([, id = '']) => id)]);
}

const pages = pagesBelow('.');
const links = pages.flatMap((page) =>
  [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
);

test('every link of a page leads to a file that is here, and to an anchor that is in it', () => {
  expect(pages.length).toBeGreaterThan(50);
  expect(links.length).toBeGreaterThan(100);
  const broken = links.filter(({ page, target }) => {
    if (/^(https?|mailto):/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
    if (file.startsWith('..') || !existsSync(join(root, file))) return true;
    return anchor !== undefined && !anchorsOf(file).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page of docs can be found from the README, and each in few steps', () => {
  const reached = new Set(['README.md']);
  for (const page of reached)
    for (const { target } of links.filter((link) => link.page === page)) {
      const file = normalize(join(dirname(page), target.split('#')[0] ?? ''));
      if (file.endsWith('.md')) reached.add(file);
      else if (!/^https?:/.test(target))
        for (const one of pages) if (dirname(one) === file.replace(/\/$/, '')) reached.add(one);
    }
  expect(pages.filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
});

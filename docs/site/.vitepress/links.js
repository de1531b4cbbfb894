import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { addressOf, root } from './pages.js';

/** Files that pages link to and that are no pages: they are copied to the site. */
const linked = new Set();

/**
 * Makes of a link that is right in the repository one that is right on the site. A folder is its README, or the first
 * of its pages.
 */
export function siteLinks(base) {
  return (md) =>
    md.core.ruler.push('site-links', ({ tokens, env }) => {
      // What VitePress hands on is the page's address: of a README that is index.md in its folder.
      const from = posix.dirname(env.relativePath);
      for (const token of tokens.flatMap(({ children }) => children ?? []))
        if (token.type === 'link_open') retarget(token, from, base);
    });
}

function retarget(token, from, base) {
  const href = token.attrGet('href') ?? '';
  if (/^([a-z]+:|\/|#)/.test(href)) return;
  const [path, anchor] = href.split('#');
  let target = posix.normalize(posix.join(from, decodeURI(path)));
  if (existsSync(join(root, target)) && statSync(join(root, target)).isDirectory()) target = pageOf(target);
  if (target.endsWith('.md')) {
    token.attrSet('href', addressOf(target) + (anchor ? `#${anchor}` : ''));
    return;
  }
  linked.add(target);
  token.attrSet('href', `${base}${target}`);
  token.attrSet('target', '_blank'); // so that VitePress takes it for no page
}

const FIRST = { 'docs/client': 'start.md', 'docs/decisions': '0001-events-carry-the-session.md' };

function pageOf(folder) {
  return posix.join(folder, FIRST[folder.replace(/\/$/, '')] ?? 'README.md');
}

export function copyLinked({ outDir }) {
  for (const file of linked) {
    mkdirSync(dirname(join(outDir, file)), { recursive: true });
    copyFileSync(join(root, file), join(outDir, file));
  }
}

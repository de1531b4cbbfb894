// Looks at a built site as a browser would: every link and image of every page leads to a file of the site, and every anchor to
// an element.
//   node check-site.js <directory>
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const [site] = process.argv.slice(2);
const base = process.env.DOCS_BASE ?? '/';
const pages = readdirSync(site, { recursive: true }).filter((file) => file.endsWith('.html'));
const html = new Map(pages.map((page) => [page, readFileSync(join(site, page), 'utf8')]));

/** The file that an address of the site means, as a server with clean addresses finds it. */
function fileAt(path) {
  const name = decodeURIComponent(path.slice(base.length));
  const files = name === '' || name.endsWith('/') ? [`${name}index.html`] : [name, `${name}.html`];
  return files.find((file) => html.has(file) || existsSync(join(site, file)));
}

const broken = [];
let links = 0;
for (const [page, text] of html) {
  const address = `${base}${page.replace(/index\.html$/, '').replace(/\.html$/, '')}`;
  for (const [, target] of text.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
    const url = new URL(target.replaceAll('&amp;', '&'), `http://site${address}`);
    if (url.host !== 'site') continue;
    links += 1;
    const file = url.pathname.startsWith(base) ? fileAt(url.pathname) : undefined;
    const anchor = decodeURIComponent(url.hash.slice(1));
    const isThere = file !== undefined && (anchor === '' || html.get(file)?.includes(`id="${anchor}"`));
    if (!isThere) broken.push(`${page}: ${target}`);
  }
}
for (const one of new Set(broken)) console.error(one);
console.log(`${pages.length} pages, ${links} links, ${new Set(broken).size} broken`);
const isWhole = broken.length === 0 && pages.length >= 50;
if (isWhole) console.log(`The site is in ${resolve(site)}: any server of files shows it.`);
process.exit(isWhole ? 0 : 1);

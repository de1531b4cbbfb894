import { readFile } from 'node:fs/promises';

const page = new URL('../../docs/running.md', import.meta.url);

/** The blocks of code below a heading of docs/running.md, in order: what a drill does is what the page says. */
export async function blocksBelow(heading: string): Promise<string[]> {
  const text = await readFile(page, 'utf8');
  const [, section] = new RegExp(`^### ${heading}\\n([\\s\\S]*?)(?=^##)`, 'm').exec(text) ?? [];
  if (section === undefined) throw new Error(`the page has no section ${heading}`);
  const blocks = section.match(/(?:^ {4}.*\n)+/gm) ?? [];
  return blocks.map((block) => block.replace(/^ {4}/gm, '').trim());
}

/** The statements of a block, without comments. */
export function statementsOf(block: string): string[] {
  return block
    .replace(/^(--|#).*$/gm, '')
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

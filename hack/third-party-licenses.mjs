// The licences of what a bundle holds, for those who get the bundle without node_modules.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The text of a file with name, version, licence and licence texts of every package in a bundle.
 * @param inputs paths of the bundle's source files, as in esbuild's metafile
 * @throws when a package says nothing of its licence
 */
export function thirdPartyLicenses(inputs) {
  const folders = new Set(inputs.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]));
  folders.delete(undefined);
  const packages = [...folders].map(describe).sort((a, b) => (a.title < b.title ? -1 : 1));
  return packages.map(({ title, text }) => `${'='.repeat(80)}\n${title}\n${'='.repeat(80)}\n\n${text}\n`).join('\n');
}

function describe(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)\b/i.test(file));
  if (license === undefined && files.length === 0) throw new Error(`${name} ${version} says nothing of its licence`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { title: `${name} ${version} (${license ?? 'see below'})`, text: texts.join('\n\n') };
}

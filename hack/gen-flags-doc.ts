// Writes manifests/docs/flags.md from the table of flags: npx tsx hack/gen-flags-doc.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Flag } from '../src/options/flag.ts';
import { serveFlags } from '../src/options/serve-flags.ts';
import { defaultText } from '../src/options/usage.ts';

export const flagsDocument = new URL('../manifests/docs/flags.md', import.meta.url);

/** The flag reference in Markdown. */
export function renderFlagsDocument(): string {
  const sections = [...new Set(serveFlags.map(({ section }) => section))];
  return [
    '# Flags of `kubetally serve`',
    '',
    '<!-- Made by hack/gen-flags-doc.ts; a test compares. -->',
    '',
    'Every flag of metrics-server is accepted under its name, with its default. Three kinds: those that work; those **without effect**, which are',
    'read and answered with one warning in the log; and those **not supported**, which stop the start because somebody may rely on them.',
    'Flags are written `--name=value` or `--name value`; lists are comma-separated or repeated; durations look like `15s`, `1m30s`, `250ms`.',
    ...sections.flatMap((section) => [
      '',
      `## ${section}`,
      '',
      '| Flag | Value | Default | Meaning |',
      '|---|---|---|---|',
      ...serveFlags.filter((flag) => flag.section === section).map(row),
    ]),
    '',
  ].join('\n');
}

function row(flag: Flag<unknown>): string {
  const name = `${flag.short === undefined ? '' : `\`-${flag.short}\`, `}\`--${flag.name}\``;
  const kind = flag.kind.placeholder === '' ? '' : `\`${flag.kind.placeholder}\``;
  const initial = defaultText(flag) === '' ? '' : `\`${defaultText(flag)}\``;
  const effect =
    flag.effect === undefined
      ? ''
      : flag.effect.kind === 'none'
        ? `**No effect:** ${flag.effect.reason}.`
        : `**Not supported:** ${flag.effect.reason}.`;
  const cells = [name, kind, initial, `${flag.help} ${effect}`.trim()];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(flagsDocument, renderFlagsDocument());

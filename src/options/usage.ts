import type { Flag } from './flag.ts';
import { boolean } from './flag-values.ts';

/** Every command has it; short form `-h`. */
export function helpFlag(section: string): Flag<boolean> {
  return { name: 'help', short: 'h', section, kind: boolean, default: false, help: 'Show this help.' };
}

/** The line `--version` prints; `version` without a leading v. */
export function versionText(version: string): string {
  return `kubetally version v${version}`;
}

/** A flag's default as shown to people, or an empty string. */
export function defaultText(flag: Flag<unknown>): string {
  return flag.defaultText ?? flag.kind.print(flag.default);
}

/**
 * The help text: `summary`, the usage lines, then the flags under their sections, in the order of the table.
 * @param others commands beside this one
 * @param width columns to wrap the descriptions at.
 */
export function usageText(
  command: string,
  summary: string,
  table: readonly Flag<unknown>[],
  others: readonly string[] = [],
  width = 120,
): string {
  const lines = [summary, '', 'Usage:', ...[command, ...others].map((name) => `  ${name} [flags]`)];
  for (const section of new Set(table.map((flag) => flag.section))) {
    const rows = table
      .filter((flag) => flag.section === section)
      .map((flag) => [synopsis(flag), describe(flag)] as const);
    const indent = Math.min(48, Math.max(...rows.map(([left]) => left.length)) + 3);
    lines.push('', `${section}:`, '');
    for (const [left, right] of rows) {
      const wrapped = wrap(right, Math.max(40, width - indent));
      // A synopsis too long for its column gets a line of its own.
      const [first = '', ...others] = left.length < indent - 1 ? wrapped : ['', ...wrapped];
      lines.push((left.padEnd(indent) + first).trimEnd(), ...others.map((text) => ' '.repeat(indent) + text));
    }
  }
  return `${lines.join('\n')}\n`;
}

function synopsis(flag: Flag<unknown>): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `  ${short}--${flag.name} ${flag.kind.placeholder}`.trimEnd();
}

function describe(flag: Flag<unknown>): string {
  const shown = defaultText(flag);
  const effect =
    flag.effect === undefined
      ? ''
      : flag.effect.kind === 'none'
        ? ` Has no effect because ${flag.effect.reason}.`
        : ` Not supported: ${flag.effect.reason}.`;
  return `${flag.help}${effect}${shown === '' ? '' : ` (default ${shown})`}`.trim();
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

import { compareYamlKeys } from './yaml-keys.ts';
import { scalar } from './yaml-scalar.ts';

/**
 * JSON text as the YAML that sigs.k8s.io/yaml makes of it: block style, keys sorted, lists not indented below their key,
 * long text folded after column 80, no document marker.
 */
export function jsonToYaml(json: string): string {
  const lines: string[] = [];
  writeValue(JSON.parse(json), 0, '', lines);
  return `${lines.join('\n')}\n`;
}

/** Writes `value` after `lead`, which is what its first line begins with; further lines are indented by `indent`. */
function writeValue(value: unknown, indent: number, lead: string, lines: string[]): void {
  if (Array.isArray(value) && value.length > 0) writeList(value, indent, lead, lines);
  else if (isRecord(value) && Object.keys(value).length > 0) writeMap(value, indent, lead, lines);
  else if (Array.isArray(value)) lines.push(`${lead}[]`);
  else if (isRecord(value)) lines.push(`${lead}{}`);
  else if (typeof value === 'string') lines.push(lead + scalar(value, lead.length, indent + (indent === 0 ? 2 : 0)));
  else lines.push(lead + String(value));
}

function writeList(items: readonly unknown[], indent: number, lead: string, lines: string[]): void {
  const blank = ' '.repeat(indent);
  items.forEach((item, index) => {
    writeValue(item, indent + 2, `${index === 0 ? lead : blank}- `, lines);
  });
}

function writeMap(map: Readonly<Record<string, unknown>>, indent: number, lead: string, lines: string[]): void {
  const blank = ' '.repeat(indent);
  Object.keys(map)
    .sort(compareYamlKeys)
    .forEach((key, index) => {
      const start = index === 0 ? lead : blank;
      const value = map[key];
      const name = scalar(key, -Infinity, 0);
      // Keys longer than 128 bytes are not simple keys.
      const opening = Buffer.byteLength(key) > 128 ? `${start}? ${name}\n${blank}:` : `${start}${name}:`;
      if (Array.isArray(value) && value.length > 0) {
        lines.push(opening);
        writeList(value, indent, blank, lines);
      } else if (isRecord(value) && Object.keys(value).length > 0) {
        lines.push(opening);
        writeMap(value, indent + 2, ' '.repeat(indent + 2), lines);
      } else writeValue(value, indent + 2, `${opening} `, lines);
    });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

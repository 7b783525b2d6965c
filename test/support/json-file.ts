import { readFileSync } from 'node:fs';

/** Reads test data. */
export function readJson(url: URL): unknown {
  return JSON.parse(readFileSync(url, 'utf8'));
}

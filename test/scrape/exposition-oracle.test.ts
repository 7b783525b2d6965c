import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { expositionSamples } from '../../src/scrape/exposition.ts';

/** One metric as the independent parser gives it: values are texts, labels a plain object. */
interface Family {
  readonly name: string;
  readonly metrics: readonly {
    readonly value?: string;
    readonly labels?: Record<string, string>;
    readonly timestamp_ms?: string;
  }[];
}
const parse = createRequire(import.meta.url)('parse-prometheus-text-format') as (text: string) => Family[];

type Line = readonly [name: string, labels: Record<string, string>, value: number, timestamp: number | undefined];

const ours = (text: string): Line[] =>
  [...expositionSamples(text, () => true)].map(({ name, labels, value, timestamp }) => [
    name,
    Object.fromEntries(labels),
    Number(value),
    timestamp,
  ]);
const theirs = (text: string): Line[] =>
  parse(text).flatMap(({ name, metrics }) =>
    metrics.map(({ value, labels, timestamp_ms: time }): Line => [
      name,
      { ...labels },
      Number(value),
      time === undefined ? undefined : Number(time),
    ]),
  );
const sorted = (lines: readonly Line[]): string[] => lines.map((line) => JSON.stringify(line)).sort();

describe('the exposition parser beside an independent one', () => {
  for (const run of ['containerd-cadvisor', 'containerd-cri'])
    it(`reads the same from what a real kubelet answered (${run})`, () => {
      for (let index = 0; index < 8; index++) {
        const page = readFileSync(new URL(`../windows/data/${run}/0${index}.resource.txt`, import.meta.url), 'utf8');
        assert.deepEqual(sorted(ours(page)), sorted(theirs(page)));
        assert.ok(ours(page).length > 10, 'the page has samples');
      }
    });

  it('reads the same from any page of gauges', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
    const text = fc.stringMatching(/^[ -!#-[\]-~]{0,12}$/);
    const line = fc.tuple(
      word,
      fc.dictionary(word, text, { maxKeys: 3 }),
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.integer({ min: 1, max: 2_000_000_000_000 }),
    );
    // A page has each series once; of one that is there twice the other parser keeps one line.
    const seriesOf = ([name, labels]: readonly [string, Record<string, string>, ...unknown[]]): string =>
      JSON.stringify([name, Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1))]);
    fc.assert(
      fc.property(fc.uniqueArray(line, { maxLength: 8, selector: seriesOf }), (lines) => {
        const page = lines
          .map(
            ([name, labels, value, time]) =>
              `${name}{${Object.entries(labels)
                .map(([key, label]) => `${key}="${label}"`)
                .join(',')}} ${value} ${time}\n`,
          )
          .join('');
        assert.deepEqual(sorted(ours(page)), sorted(theirs(page)));
      }),
    );
  });
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { chartReadme, renderChartReadme } from '../../hack/gen-chart-doc.ts';
import { chart } from './chart-renderer.ts';
import { schemaProblems } from './json-schema.ts';
import { at, manifests } from './manifest-objects.ts';

const read = (...path: string[]): Record<string, unknown> =>
  parse(readFileSync(join(chart, ...path), 'utf8')) as Record<string, unknown>;
const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Record<string, unknown>;
const presets = readdirSync(join(chart, 'presets')).map((name) => name.replace('.yaml', ''));

describe('the chart', () => {
  it('has values that its schema allows', () => assert.deepEqual(schemaProblems(schema, read('values.yaml')), []));

  for (const name of readdirSync(join(chart, 'ci')))
    it(`allows ${name}`, () => assert.deepEqual(schemaProblems(schema, read('ci', name)), []));

  it("allows every value of metrics-server's chart", () => {
    const values = parse(readFileSync(join(import.meta.dirname, 'data/metrics-server-values.yaml'), 'utf8')) as unknown;
    assert.deepEqual(schemaProblems(schema, values), []);
  });

  for (const [values, problem] of [
    [{ replica: 2 }, '.: unknown key replica'],
    [{ replicas: '2' }, '.replicas: string instead of integer'],
    [{ tls: { type: 'mesh' } }, '.tls.type: not one of the words'],
    [{ preset: 'openshift' }, '.preset: not one of the words'],
    [{ addonResizer: { enabled: true } }, '.addonResizer.enabled: not the constant'],
    [{ resources: null }, '.resources: null instead of object'],
    [
      { networkPolicy: { extraEgressPorts: ['kubelet'] } },
      '.networkPolicy.extraEgressPorts[0]: string instead of integer',
    ],
    [{ networkPolicy: { extraEgressPorts: [65536] } }, '.networkPolicy.extraEgressPorts[0]: out of range'],
  ] as const)
    it(`refuses ${JSON.stringify(values)}`, () => assert.deepEqual(schemaProblems(schema, values), [problem]));

  it('knows every preset by name', () =>
    assert.deepEqual((at(schema, 'properties', 'preset', 'enum') as string[]).toSorted(), ['', ...presets].sort()));

  for (const preset of presets)
    it(`takes from the preset ${preset} only what presets are for, in valid form`, () => {
      const values = read('presets', `${preset}.yaml`);
      assert.deepEqual(schemaProblems(schema, values), []);
      for (const key of Object.keys(values)) assert.ok(['args', 'containerPort', 'tolerations'].includes(key), key);
    });

  it('has no null among its values', () => {
    JSON.stringify(read('values.yaml'), (key, value: unknown) => {
      assert.notEqual(value, null, key);
      return value;
    });
  });

  it('is of this version', () => {
    const { version } = JSON.parse(readFileSync(join(manifests, '..', 'package.json'), 'utf8')) as { version: string };
    assert.equal(read('Chart.yaml')['appVersion'], version);
  });

  it('has the README that hack/gen-chart-doc.ts makes', () => {
    const readme = readFileSync(chartReadme, 'utf8');
    assert.equal(readme, renderChartReadme(readme));
    for (const preset of presets) assert.ok(readme.includes(`\`${preset}\``), preset);
  });
});

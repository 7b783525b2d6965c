import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { chart, ChartRenderer, withoutRenderer } from './chart-renderer.ts';
import { readObjects, type ManifestObject } from './manifest-objects.ts';

const helm = process.env['HELM'] ?? 'helm';
const installed = spawnSync(helm, ['version']).status === 0;
/** Any that the chart's kubeVersion allows; helm alone thinks of the one it was built with. */
const kubeVersion = ['--kube-version', '1.30.0'];

/** No package of Debian or npm brings a helm that is kept, so these run where somebody installed it. */
describe('helm', { skip: installed ? withoutRenderer() : 'helm is not installed' }, () => {
  let directory: string;
  let renderer: ChartRenderer;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'helm-'));
    renderer = new ChartRenderer();
  });
  after(() => {
    renderer.dispose();
    rmSync(directory, { recursive: true });
  });

  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(helm, args, { encoding: 'utf8' });
  const template = (values: object): ReturnType<typeof run> => {
    const path = join(directory, 'values.yaml');
    writeFileSync(path, stringify(values));
    return run('template', 'kubetally', chart, '-n', 'kube-system', '-f', path, ...kubeVersion);
  };
  const sorted = (objects: readonly ManifestObject[]): ManifestObject[] =>
    objects.toSorted((a, b) => (a.kind + a.metadata.name < b.kind + b.metadata.name ? -1 : 1));

  it('finds nothing wrong with the chart', () => {
    const { status, stdout } = run('lint', '--strict', chart);
    assert.equal(status, 0, stdout);
  });

  const all = ['ci', 'presets'].flatMap((folder) => readdirSync(join(chart, folder)).map((name) => [folder, name]));
  const upstream = 'data/metrics-server-values.yaml';
  const cases: [string, object][] = [
    ['no values', {}],
    ["metrics-server's values", parse(readFileSync(join(import.meta.dirname, upstream), 'utf8')) as object],
    ...all.map(([folder = '', name = '']): [string, object] =>
      folder === 'presets'
        ? [`preset ${name}`, { preset: name.replace('.yaml', '') }]
        : [name, parse(readFileSync(join(chart, folder, name), 'utf8')) as object],
    ),
  ];
  for (const [name, values] of cases)
    it(`renders what hack/render-chart renders: ${name}`, () => {
      const { status, stdout, stderr } = template(values);
      assert.equal(status, 0, stderr);
      assert.deepEqual(sorted(readObjects(stdout)), sorted(renderer.render(values).objects));
    });

  it('refuses what the schema refuses', () => {
    for (const values of [{ replica: 2 }, { preset: 'openshift' }, { addonResizer: { enabled: true } }]) {
      const { status, stderr } = template(values);
      assert.equal(status, 1);
      assert.match(stderr, /values don't meet the specifications of the schema/);
    }
  });
});

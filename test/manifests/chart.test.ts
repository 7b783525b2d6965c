import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { schemaProblems } from './json-schema.ts';
import {
  at,
  checkInvariants,
  deploymentOptions,
  find,
  manifests,
  readObjects,
  type ManifestObject,
} from './manifest-objects.ts';

const chart = join(manifests, 'chart');
const read = (...path: string[]): Record<string, unknown> =>
  parse(readFileSync(join(chart, ...path), 'utf8')) as Record<string, unknown>;
const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Record<string, unknown>;
const presets = readdirSync(join(chart, 'presets')).map((name) => name.replace('.yaml', ''));
const ciValues = readdirSync(join(chart, 'ci'));

describe('the chart', () => {
  it('has values that its schema allows', () => assert.deepEqual(schemaProblems(schema, read('values.yaml')), []));

  for (const name of ciValues)
    it(`allows ${name}`, () => assert.deepEqual(schemaProblems(schema, read('ci', name)), []));

  for (const [values, problem] of [
    [{ replica: 2 }, '.: unknown key replica'],
    [{ replicas: '2' }, '.replicas: string instead of integer'],
    [{ tls: { type: 'helm' } }, '.tls.type: not one of the words'],
    [{ preset: 'openshift' }, '.preset: not one of the words'],
    [{ addonResizer: { enabled: true } }, '.addonResizer.enabled: not the constant'],
    [
      { podDisruptionBudget: { minAvailable: null } },
      '.podDisruptionBudget.minAvailable: null instead of integer or string',
    ],
  ] as const)
    it(`refuses ${JSON.stringify(values)}`, () => assert.deepEqual(schemaProblems(schema, values), [problem]));

  it('knows every preset by name', () =>
    assert.deepEqual((at(schema, 'properties', 'preset', 'enum') as string[]).toSorted(), ['', ...presets].sort()));

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
});

const goPath = '/usr/share/gocode';
const renderable =
  existsSync(join(goPath, 'src/github.com/Masterminds/sprig')) && spawnSync('go', ['version']).status === 0;

describe(
  'the rendered chart',
  { skip: renderable ? false : 'neither Go nor its template functions are installed' },
  () => {
    let directory: string;

    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'chart-'));
      const build = spawnSync('go', ['build', '-o', join(directory, 'render'), './hack/render-chart'], {
        cwd: join(manifests, '..'),
        env: { ...process.env, GO111MODULE: 'off', GOPATH: goPath, GOFLAGS: '' },
        encoding: 'utf8',
      });
      assert.equal(build.status, 0, build.stderr);
    });
    after(() => rmSync(directory, { recursive: true }));

    function render(values: object = {}, release = 'kubetally'): ManifestObject[] {
      const path = join(directory, 'values.yaml');
      writeFileSync(path, stringify(values));
      const run = spawnSync(join(directory, 'render'), [release, 'kube-system', chart, path], { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
      return readObjects(run.stdout);
    }

    it('keeps the invariants', () => checkInvariants(render()));

    it('keeps the invariants under another name and namespace', () => {
      const objects = render({ namespaceOverride: 'monitoring' }, 'prod');
      checkInvariants(objects);
      assert.equal(find(objects, 'Deployment').metadata.name, 'prod-kubetally');
      assert.equal(find(objects, 'RoleBinding').metadata.namespace, 'kube-system');
    });

    for (const name of ciValues)
      it(`keeps the invariants with ${name}`, () =>
        checkInvariants(render(read('ci', name)), name.startsWith('host-network')));

    for (const preset of presets)
      it(`keeps the invariants with the preset ${preset}`, () => {
        const objects = render({ preset });
        checkInvariants(objects);
        const insecure = deploymentOptions(objects).kubelet.insecureTls;
        assert.equal(insecure, preset === 'kind' || preset === 'kubeadm');
      });

    it('takes the values of metrics-server as they are', () =>
      checkInvariants(
        render({
          args: ['--kubelet-insecure-tls'],
          defaultArgs: ['--cert-dir=/tmp', '--metric-resolution=15s'],
          replicas: 2,
        }),
      ));

    it('verifies certificates where that can be done', () => {
      for (const type of ['self-managed', 'cert-manager', 'metrics-server'])
        for (const object of render({ tls: { type } }))
          if (object.kind === 'APIService')
            assert.equal(at(object, 'spec', 'insecureSkipTLSVerify'), type === 'metrics-server' ? true : undefined);
    });

    it('moves to a free port on the host network, and keeps a port that was chosen', () => {
      assert.equal(
        deploymentOptions(render({ hostNetwork: { enabled: true }, preset: 'gke' })).serving.securePort,
        4443,
      );
      assert.equal(
        deploymentOptions(render({ hostNetwork: { enabled: true }, containerPort: 5000 })).serving.securePort,
        5000,
      );
      assert.equal(deploymentOptions(render({ preset: 'eks' })).serving.securePort, 10251);
    });

    it('opens /metrics without closing the probes', () =>
      assert.deepEqual(deploymentOptions(render({ metrics: { enabled: true } })).authorization.alwaysAllowPaths, [
        '/healthz',
        '/readyz',
        '/livez',
        '/metrics',
      ]));

    it('can leave parts out', () => {
      const objects = render({
        rbac: { create: false },
        apiService: { create: false },
        serviceAccount: { create: false, name: 'mine' },
      });
      assert.deepEqual(objects.map(({ kind }) => kind).sort(), ['Deployment', 'Service']);
      assert.equal(at(find(objects, 'Deployment'), 'spec', 'template', 'spec', 'serviceAccountName'), 'mine');
    });

    it('says what is missing', () => {
      writeFileSync(join(directory, 'bad.yaml'), 'tls: {type: existingSecret}\n');
      const run = spawnSync(join(directory, 'render'), ['r', 'n', chart, join(directory, 'bad.yaml')], {
        encoding: 'utf8',
      });
      assert.equal(run.status, 1);
      assert.match(run.stderr, /tls\.existingSecret\.name is needed with tls\.type existingSecret/);
    });
  },
);

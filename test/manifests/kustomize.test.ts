import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  at,
  checkInvariants,
  deploymentOptions,
  find,
  kustomize,
  kustomizeWith,
  manifests,
  rules,
  type ManifestObject,
} from './manifest-objects.ts';

/** Components came to kubectl's kustomize with 1.21. */
const firstMinor = 21;
const { status, stdout } = spawnSync('kubectl', ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
const minor = status === 0 ? Number.parseInt(/"minor": *"(\d+)/.exec(stdout)?.[1] ?? '0', 10) : undefined;

function reasonToSkip(): string | false {
  // In CI a missing kubectl must not look like success.
  if (minor === undefined) return process.env['CI'] === undefined ? 'kubectl is not installed' : false;
  return minor < firstMinor ? `kubectl 1.${minor} knows no components: 1.${firstMinor} or newer is needed` : false;
}
const skip = reasonToSkip();

const { version } = JSON.parse(readFileSync(join(manifests, '..', 'package.json'), 'utf8')) as { version: string };
const components = readdirSync(join(manifests, 'components'));

function apiServices(objects: readonly ManifestObject[]): unknown[] {
  return objects.filter(({ kind }) => kind === 'APIService').map((object) => at(object, 'spec'));
}

describe('the kustomize manifests', { skip }, () => {
  for (const overlay of readdirSync(join(manifests, 'overlays')))
    it(`keep the invariants in the overlay ${overlay}`, () =>
      checkInvariants(kustomize(join(manifests, 'overlays', overlay))));

  for (const component of components)
    it(`keep the invariants with ${component}`, () =>
      checkInvariants(kustomizeWith(component), component === 'host-network'));

  it('keep the invariants with everything at once', () => checkInvariants(kustomizeWith(...components), true));

  it("ask for no more than metrics-server and the kubelets' statistics", () =>
    assert.deepEqual(
      rules(kustomize(join(manifests, 'base'))).map(({ apiGroups, resources, verbs }) => [apiGroups, resources, verbs]),
      [
        [['metrics.k8s.io'], ['pods', 'nodes'], ['get', 'list', 'watch']],
        [[''], ['nodes/stats', 'nodes/metrics'], ['get']],
        [[''], ['pods', 'nodes'], ['get', 'list', 'watch']],
      ],
    ));

  it('let viewers, editors and administrators read metrics', () => {
    const role = find(kustomize(join(manifests, 'base')), 'ClusterRole', 'system:aggregated-metrics-reader');
    for (const whom of ['view', 'edit', 'admin'])
      assert.equal(role.metadata.labels?.[`rbac.authorization.k8s.io/aggregate-to-${whom}`], 'true');
  });

  it('replace the running replica only when the new one is ready', () => {
    const deployment = find(kustomize(join(manifests, 'base')), 'Deployment');
    assert.equal(at(deployment, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), 0);
    assert.equal(at(deployment, 'spec', 'template', 'spec', 'priorityClassName'), 'system-cluster-critical');
  });

  it('prefer v1 over v1beta1', () => {
    const versions = apiServices(kustomize(join(manifests, 'base')));
    const priority = (version: string): number =>
      Number(
        at(
          versions.find((spec) => at(spec, 'version') === version),
          'versionPriority',
        ),
      );
    assert.ok(priority('v1') > priority('v1beta1'));
    assert.equal(priority('v1beta1'), 100);
  });

  it('spread the replicas of high-availability and keep one during disruptions', () => {
    const objects = kustomizeWith('high-availability');
    const deployment = find(objects, 'Deployment');
    const labels = at(deployment, 'spec', 'selector', 'matchLabels');
    assert.equal(at(deployment, 'spec', 'replicas'), 2);
    const affinity = at(deployment, 'spec', 'template', 'spec', 'affinity', 'podAntiAffinity');
    const rule = at(affinity, 'requiredDuringSchedulingIgnoredDuringExecution', 0);
    assert.deepEqual(at(rule, 'labelSelector', 'matchLabels'), labels);
    assert.equal(at(rule, 'topologyKey'), 'kubernetes.io/hostname');
    const budget = find(objects, 'PodDisruptionBudget');
    assert.deepEqual(at(budget, 'spec', 'selector', 'matchLabels'), labels);
    assert.equal(at(budget, 'spec', 'minAvailable'), 1);
  });

  it('verify the certificate with self-managed-tls, and only then allow writing', () => {
    const objects = kustomizeWith('self-managed-tls');
    const options = deploymentOptions(objects).serving;
    assert.equal(options.patchCaBundle, true);
    for (const spec of apiServices(objects)) assert.equal(at(spec, 'insecureSkipTLSVerify'), undefined);
    const secrets = rules(objects).find(
      ({ resources, resourceNames }) => resources?.includes('secrets') && resourceNames,
    );
    assert.deepEqual(secrets?.resourceNames, [options.certSecret]);
    const patched = rules(objects).find(({ resources }) => resources?.includes('apiservices'));
    assert.deepEqual(
      patched?.resourceNames?.toSorted(),
      apiServices(objects)
        .map((spec) => `${String(at(spec, 'version'))}.${String(at(spec, 'group'))}`)
        .sort(),
    );
  });

  it("leave the kubelet's port alone on the host's network", () => {
    assert.equal(deploymentOptions(kustomizeWith('host-network')).serving.securePort, 4443);
  });

  it("free the port on the host's network before a new pod needs it, also with everything at once", () => {
    for (const objects of [kustomizeWith('host-network'), kustomizeWith(...components)])
      assert.deepEqual(at(find(objects, 'Deployment'), 'spec', 'strategy', 'rollingUpdate'), {
        maxSurge: 0,
        maxUnavailable: 1,
      });
  });

  it('select the Service with the ServiceMonitor and the pods with the NetworkPolicy', () => {
    const objects = kustomizeWith('service-monitor', 'network-policy');
    const selected = at(find(objects, 'ServiceMonitor'), 'spec', 'selector', 'matchLabels') as Record<string, string>;
    for (const [key, value] of Object.entries(selected))
      assert.equal(find(objects, 'Service').metadata.labels?.[key], value);
    const podSelector = at(find(objects, 'NetworkPolicy'), 'spec', 'podSelector', 'matchLabels');
    assert.deepEqual(podSelector, at(find(objects, 'Deployment'), 'spec', 'selector', 'matchLabels'));
  });

  it('let out with the NetworkPolicy to the usual ports of kubelets and API servers', () => {
    const rules = at(find(kustomizeWith('network-policy'), 'NetworkPolicy'), 'spec', 'egress') as unknown[];
    const ports = rules.flatMap((rule) => (at(rule, 'ports') as unknown[]).map((port) => at(port, 'port')));
    assert.deepEqual(new Set(ports), new Set([10250, 443, 6443, 8443, 53]));
  });

  it('accept unsigned kubelet certificates in the local overlay alone', () => {
    for (const overlay of readdirSync(join(manifests, 'overlays')))
      assert.equal(
        deploymentOptions(kustomize(join(manifests, 'overlays', overlay))).kubelet.insecureTls,
        overlay === 'local',
      );
  });

  it('become an overlay with an image of its own as the installation guide says, the one that the guides apply', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'overlay-'));
    t.after(() => rmSync(directory, { recursive: true }));
    cpSync(manifests, join(directory, 'manifests'), { recursive: true });
    const guide = (name: string): string => readFileSync(join(manifests, name), 'utf8');
    const commands = /^mkdir -p manifests\/overlays\/(?:.*\n)*?EOF$/m.exec(guide('docs/install.md'))?.[0] ?? '';
    const made = spawnSync('sh', ['-euc', commands], { cwd: directory, encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);

    for (const name of ['../README.md', 'docs/install.md', 'docs/MIGRATING.md']) {
      const applied = [...guide(name).matchAll(/kubectl (?:apply -k|kustomize) (manifests\/\S+)/g)].map(
        ([, path = '']) => path,
      );
      assert.ok(applied.length > 0, name);
      for (const path of applied) {
        const deployment = find(kustomize(join(directory, path)), 'Deployment');
        const image = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image');
        assert.equal(image, `REGISTRY/kubetally:v${version}`, `${name}: ${path}`);
      }
    }
  });

  it('name the image of this version', () => {
    const image = at(
      find(kustomize(join(manifests, 'base')), 'Deployment'),
      'spec',
      'template',
      'spec',
      'containers',
      0,
      'image',
    );
    assert.equal(image, `kubetally:v${version}`);
  });
});

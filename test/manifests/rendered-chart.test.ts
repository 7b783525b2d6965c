import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { chart, ChartRenderer, withoutRenderer } from './chart-renderer.ts';
import { at, checkInvariants, deploymentOptions, find, type ManifestObject } from './manifest-objects.ts';

const read = (path: string): Record<string, unknown> => parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
const ciValues = readdirSync(join(chart, 'ci'));
const presets = readdirSync(join(chart, 'presets')).map((name) => name.replace('.yaml', ''));
const ofMetricsServer = read(join(import.meta.dirname, 'data/metrics-server-values.yaml'));

describe('the rendered chart', { skip: withoutRenderer() }, () => {
  let renderer: ChartRenderer;
  before(() => {
    renderer = new ChartRenderer();
  });
  after(() => renderer.dispose());

  const objectsOf = (values: object = {}, release?: string): ManifestObject[] =>
    renderer.render(values, release).objects;
  const podOf = (values: object): unknown => at(find(objectsOf(values), 'Deployment'), 'spec', 'template', 'spec');
  const strategyOf = (values: object): unknown => at(find(objectsOf(values), 'Deployment'), 'spec', 'strategy');
  const verification = (values: object): unknown[] =>
    objectsOf(values)
      .filter(({ kind }) => kind === 'APIService')
      .map((object) => at(object, 'spec', 'insecureSkipTLSVerify') ?? at(object, 'spec', 'caBundle'));

  it('keeps the invariants', () => checkInvariants(objectsOf()));

  it('keeps the invariants under another name and namespace', () => {
    const objects = objectsOf({ namespaceOverride: 'monitoring' }, 'prod');
    checkInvariants(objects);
    assert.equal(find(objects, 'Deployment').metadata.name, 'prod-kubetally');
    assert.equal(find(objects, 'RoleBinding').metadata.namespace, 'kube-system');
  });

  for (const name of ciValues)
    it(`keeps the invariants with ${name}`, () =>
      checkInvariants(objectsOf(read(join(chart, 'ci', name))), name.startsWith('host-network')));

  for (const preset of presets)
    it(`keeps the invariants with the preset ${preset}, also where it meets other values`, () => {
      const objects = objectsOf({ preset });
      checkInvariants(objects);
      const insecure = deploymentOptions(objects).kubelet.insecureTls;
      assert.equal(insecure, preset === 'kind' || preset === 'kubeadm');
      for (const name of ciValues)
        checkInvariants(objectsOf({ ...read(join(chart, 'ci', name)), preset }), name.startsWith('host-network'));
    });

  it("takes all values of metrics-server's chart as they are", () => {
    const objects = objectsOf(ofMetricsServer);
    checkInvariants(objects);
    assert.equal(at(podOf(ofMetricsServer), 'hostUsers'), undefined);
    checkInvariants(objectsOf({ ...ofMetricsServer, args: ['--kubelet-insecure-tls'], replicas: 2 }));
    const budget = { ...(ofMetricsServer['podDisruptionBudget'] as object), enabled: true };
    const { spec } = find(objectsOf({ ...ofMetricsServer, podDisruptionBudget: budget }), 'PodDisruptionBudget');
    assert.deepEqual([at(spec, 'minAvailable'), at(spec, 'maxUnavailable')], [1, undefined]);
  });

  it('verifies certificates where that can be done', () => {
    assert.deepEqual(verification({}), [true, true]);
    for (const type of ['self-managed', 'cert-manager'])
      assert.deepEqual(verification({ tls: { type } }), [undefined, undefined]);
    const existingSecret = { name: 'serving' };
    assert.deepEqual(verification({ tls: { type: 'existingSecret', existingSecret } }), [true, true]);
    assert.deepEqual(verification({ apiService: { caBundle: 'PEM' } }), ['UEVN', 'UEVN']);
  });

  it('lets cert-manager write the CA unless somebody else does', () => {
    const annotationsWith = (certManager: object): unknown =>
      at(
        find(objectsOf({ tls: { type: 'cert-manager', certManager } }), 'APIService', 'v1.metrics.k8s.io'),
        'metadata',
        'annotations',
      );
    assert.deepEqual(annotationsWith({}), { 'cert-manager.io/inject-ca-from': 'kube-system/kubetally' });
    assert.equal(annotationsWith({ addInjectorAnnotations: false }), undefined);
  });

  it('moves to a free port on the host network, and keeps a port that was chosen', () => {
    const portOf = (values: object): number => deploymentOptions(objectsOf(values)).serving.securePort;
    const hostNetwork = { enabled: true };
    assert.equal(portOf({ hostNetwork, preset: 'gke' }), 4443);
    assert.equal(portOf({ hostNetwork, containerPort: 5000 }), 5000);
    assert.equal(portOf({ preset: 'eks' }), 10251);
  });

  it('brings a new pod up first, except where two cannot share a port', () => {
    assert.deepEqual(strategyOf({}), { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } });
    assert.deepEqual(strategyOf({ hostNetwork: { enabled: true } }), {
      type: 'RollingUpdate',
      rollingUpdate: { maxSurge: 0, maxUnavailable: 1 },
    });
    assert.deepEqual(strategyOf({ updateStrategy: { type: 'Recreate' } }), { type: 'Recreate' });
  });

  it('prefers different nodes for several pods, unless told where they go', () => {
    assert.equal(at(podOf({}), 'affinity'), undefined);
    const { spec } = find(objectsOf({ replicas: 2 }), 'Deployment');
    const [term] = at(
      spec,
      'template',
      'spec',
      'affinity',
      'podAntiAffinity',
      'preferredDuringSchedulingIgnoredDuringExecution',
    ) as unknown[];
    assert.deepEqual(at(term, 'podAffinityTerm', 'labelSelector'), at(spec, 'selector'));
    const affinity = { nodeAffinity: {} };
    assert.deepEqual(at(podOf({ replicas: 2, affinity }), 'affinity'), affinity);
  });

  it('opens /metrics without closing the probes', () =>
    assert.deepEqual(deploymentOptions(objectsOf({ metrics: { enabled: true } })).authorization.alwaysAllowPaths, [
      '/healthz',
      '/readyz',
      '/livez',
      '/metrics',
    ]));

  it('gives every label once: its own before those of one kind of object, and these before the common ones', () => {
    const objects = objectsOf({
      commonLabels: { team: 'all', 'app.kubernetes.io/name': 'other', tier: 'infra' },
      podLabels: { team: 'pods', 'app.kubernetes.io/instance': 'other' },
      service: { labels: { team: 'services' } },
      serviceMonitor: { enabled: true, additionalLabels: { team: 'monitors' } },
      tls: { type: 'cert-manager', certManager: { labels: { team: 'certificates' } } },
    });
    checkInvariants(objects);
    const labels = { 'app.kubernetes.io/name': 'kubetally', 'app.kubernetes.io/instance': 'kubetally', tier: 'infra' };
    const pod = at(find(objects, 'Deployment'), 'spec', 'template', 'metadata', 'labels');
    assert.deepEqual(pod, { ...labels, team: 'pods' });
    for (const [kind, team] of [
      ['Deployment', 'all'],
      ['Service', 'services'],
      ['ServiceMonitor', 'monitors'],
      ['Certificate', 'certificates'],
    ] as const) {
      const found = find(objects, kind).metadata.labels;
      assert.deepEqual({ ...found, ...labels, team }, found, kind);
    }
  });

  it('does without labels that somebody takes away with a null', () =>
    checkInvariants(objectsOf({ commonLabels: null, podLabels: null, service: { labels: null } })));

  it('lets the NetworkPolicy out to the usual ports, and to more where that is asked for', () => {
    const portsWith = (networkPolicy: object): unknown[] =>
      (at(find(objectsOf({ networkPolicy }), 'NetworkPolicy'), 'spec', 'egress', 0, 'ports') as unknown[]).map(
        (rule) => `${String(at(rule, 'protocol'))} ${String(at(rule, 'port'))}`,
      );
    const usual = ['TCP 10250', 'TCP 443', 'TCP 6443', 'TCP 8443', 'UDP 53', 'TCP 53'];
    assert.deepEqual(portsWith({ enabled: true }), usual);
    assert.deepEqual(portsWith({ enabled: true, extraEgressPorts: [10260, 16443] }), [
      ...usual,
      'TCP 10260',
      'TCP 16443',
    ]);
  });

  it('can leave parts out', () => {
    const objects = objectsOf({
      rbac: { create: false },
      apiService: { create: false },
      serviceAccount: { create: false, name: 'mine' },
    });
    assert.deepEqual(objects.map(({ kind }) => kind).sort(), ['Deployment', 'Service']);
    assert.equal(at(find(objects, 'Deployment'), 'spec', 'template', 'spec', 'serviceAccountName'), 'mine');
  });

  it('says what is missing, and what to use instead of what it does not have', () => {
    assert.match(
      renderer.refusal({ tls: { type: 'existingSecret' } }),
      /tls\.existingSecret\.name is needed with tls\.type existingSecret/,
    );
    assert.match(renderer.refusal({ tls: { type: 'helm' } }), /tls\.type helm is not supported: self-managed/);
  });

  it('says after installing how to see that it works, and what deserves a look', () => {
    const calm = renderer.render({ image: { repository: 'registry/kubetally' }, tls: { type: 'self-managed' } }).notes;
    assert.match(calm, /^ {2}kubectl -n kube-system rollout status deployment\/kubetally$/m);
    assert.match(
      calm,
      /does not reach port 10250 of the pod:\nopen it in the firewall, or set hostNetwork\.enabled\.\n$/,
    );
    const warnings: [object, RegExp][] = [
      [{}, /The API server does not verify kubetally's certificate/],
      [{}, /the nodes must have kubetally:v\d+\.\d+\.\d+ already/],
      [{ preset: 'kind' }, /certificates of kubelets are not verified/],
      [{ preset: 'aks' }, /AKS runs a metrics-server of its own/],
      [{ preset: 'gke' }, /GKE runs a metrics-server of its own/],
      [{ preset: 'k3s' }, /--disable=metrics-server/],
      [{ apiService: { create: false } }, /nobody is served until .* point at Service kubetally/],
      [{ hostNetwork: { enabled: true } }, /does not reach port 4443 of the node:\nopen it in the firewall\.\n/],
    ];
    for (const [values, warning] of warnings) {
      assert.match(renderer.render(values).notes, warning);
      assert.doesNotMatch(calm, warning);
    }
  });
});

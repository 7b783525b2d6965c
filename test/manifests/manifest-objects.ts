import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';
import { parseServeOptions, type ServeOptions } from '../../src/options/serve-options.ts';

export const manifests = resolve(fileURLToPath(new URL('../../manifests', import.meta.url)));

/** A rendered object, read as far as tests look. */
export interface ManifestObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly [field: string]: unknown;
}

/** What `kubectl kustomize` makes of a directory. */
export function kustomize(directory: string): ManifestObject[] {
  const run = spawnSync('kubectl', ['kustomize', directory], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  assert.equal(run.stderr, '');
  return readObjects(run.stdout);
}

/** The base with components on top. */
export function kustomizeWith(...components: string[]): ManifestObject[] {
  const directory = mkdtempSync(join(tmpdir(), 'kustomize-'));
  try {
    const path = (...parts: string[]): string => relative(directory, join(manifests, ...parts));
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [path('base')],
      components: components.map((component) => path('components', component)),
    };
    writeFileSync(join(directory, 'kustomization.yaml'), stringify(kustomization));
    return kustomize(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export function readObjects(yaml: string): ManifestObject[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    assert.deepEqual(document.errors, []);
    const value = document.toJS() as ManifestObject | null;
    return value === null ? [] : [value];
  });
}

/** The only object of a kind, or of a kind and a name. */
export function find(objects: readonly ManifestObject[], kind: string, name?: string): ManifestObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  assert.equal(found.length, 1, `${kind} ${name ?? ''}`);
  return found[0] ?? assert.fail();
}

/** A value by its path; undefined when any part is missing. Lists are indexed by number. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

/** The options that the Deployment's arguments give; they must be valid and all have an effect. */
export function deploymentOptions(objects: readonly ManifestObject[]): ServeOptions {
  const args = at(find(objects, 'Deployment'), 'spec', 'template', 'spec', 'containers', 0, 'args') as string[];
  const request = parseServeOptions(args);
  assert.ok(request.kind === 'serve');
  assert.deepEqual(request.options.warnings, []);
  return request.options;
}

interface Rule {
  readonly apiGroups?: string[];
  readonly resources?: string[];
  readonly resourceNames?: string[];
  readonly nonResourceURLs?: string[];
  readonly verbs: string[];
}

/** Rules of every role. */
export function rules(objects: readonly ManifestObject[]): Rule[] {
  return objects
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap((role) => at(role, 'rules') as Rule[]);
}

/** What must hold of every way to install, whatever renders it. */
export function checkInvariants(objects: readonly ManifestObject[], hostNetwork = false): void {
  checkNoNulls(objects);
  checkPermissions(objects);
  checkPod(objects, hostNetwork);
  checkReferences(objects);
}

function checkNoNulls(objects: readonly ManifestObject[]): void {
  JSON.stringify(objects, (key, value: unknown) => {
    assert.notEqual(value, null, key);
    return value;
  });
}

function checkPermissions(objects: readonly ManifestObject[]): void {
  for (const { apiGroups = [], resources = [], resourceNames, verbs } of rules(objects)) {
    assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'));
    assert.ok(!resources.includes('nodes/proxy'));
    assert.ok(!resources.some((resource) => resource.startsWith('pods/')));
    const writes = verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb));
    if (writes.length === 0) continue;
    assert.ok(resourceNames !== undefined || (writes.join() === 'create' && resources.join() === 'secrets'));
  }
  const needed = rules(objects).filter(({ resources = [] }) => resources.includes('nodes/stats'));
  assert.deepEqual(needed, [{ apiGroups: [''], resources: ['nodes/stats', 'nodes/metrics'], verbs: ['get'] }]);
}

/** Pod Security Standard "restricted", and what a read-only server needs beyond it. */
function checkPod(objects: readonly ManifestObject[], hostNetwork: boolean): void {
  const pod = at(find(objects, 'Deployment'), 'spec', 'template', 'spec');
  const containers = at(pod, 'containers') as unknown[];
  assert.equal(containers.length, 1);
  const [container] = containers;
  const security = (key: string): unknown => at(container, 'securityContext', key) ?? at(pod, 'securityContext', key);
  assert.equal(security('runAsNonRoot'), true);
  assert.ok(Number(security('runAsUser')) > 0);
  assert.equal(at(security('seccompProfile'), 'type'), 'RuntimeDefault');
  assert.equal(security('allowPrivilegeEscalation'), false);
  assert.equal(security('readOnlyRootFilesystem'), true);
  assert.deepEqual(at(security('capabilities'), 'drop'), ['ALL']);
  assert.equal(at(security('capabilities'), 'add'), undefined);
  for (const key of ['hostPID', 'hostIPC']) assert.equal(at(pod, key), undefined);
  assert.equal(at(pod, 'hostNetwork') ?? false, hostNetwork);
  assert.equal(at(container, 'ports', 0, 'hostPort'), undefined);
  assert.ok(at(container, 'resources', 'requests', 'cpu'));
  assert.ok(at(container, 'resources', 'requests', 'memory'));
  for (const [probe, path] of [
    ['readinessProbe', '/readyz'],
    ['livenessProbe', '/livez'],
  ] as const)
    assert.deepEqual(at(container, probe, 'httpGet'), { path, port: 'https', scheme: 'HTTPS' });
}

/** Names that stand in two places are the same in both. */
function checkReferences(objects: readonly ManifestObject[]): void {
  const options = deploymentOptions(objects);
  const deployment = find(objects, 'Deployment');
  const service = find(objects, 'Service');
  const account = find(objects, 'ServiceAccount');
  const { name, namespace } = service.metadata;
  assert.equal(options.serving.serviceName, name);
  assert.equal(options.serving.serviceNamespace, namespace);
  const port = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'ports', 0);
  assert.deepEqual([at(port, 'name'), at(port, 'containerPort')], ['https', options.serving.securePort]);
  assert.deepEqual(
    [at(service, 'spec', 'ports', 0, 'targetPort'), at(service, 'spec', 'ports', 0, 'appProtocol')],
    ['https', 'https'],
  );
  const podLabels = at(deployment, 'spec', 'template', 'metadata', 'labels') as Record<string, string>;
  for (const selector of [at(deployment, 'spec', 'selector', 'matchLabels'), at(service, 'spec', 'selector')])
    for (const [key, value] of Object.entries(selector as Record<string, string>)) assert.equal(podLabels[key], value);
  assert.equal(at(deployment, 'spec', 'template', 'spec', 'serviceAccountName'), account.metadata.name);
  for (const binding of objects.filter(({ kind }) => kind.endsWith('RoleBinding')))
    if (at(binding, 'subjects', 0, 'kind') === 'ServiceAccount')
      assert.deepEqual(at(binding, 'subjects'), [
        { kind: 'ServiceAccount', name: account.metadata.name, namespace: account.metadata.namespace },
      ]);

  const apiServices = objects.filter(({ kind }) => kind === 'APIService');
  assert.deepEqual(apiServices.map(({ metadata }) => metadata.name).sort(), [
    'v1.metrics.k8s.io',
    'v1beta1.metrics.k8s.io',
  ]);
  for (const apiService of apiServices) {
    const { spec } = apiService as unknown as { spec: Record<string, unknown> };
    assert.equal(apiService.metadata.name, `${String(spec['version'])}.${String(spec['group'])}`);
    assert.deepEqual(spec['service'], { name, namespace, port: at(service, 'spec', 'ports', 0, 'port') });
    // Skipping verification together with a CA is forbidden.
    assert.ok(!(spec['insecureSkipTLSVerify'] === true && spec['caBundle'] !== undefined));
    if (options.serving.patchCaBundle) assert.equal(spec['insecureSkipTLSVerify'] ?? false, false);
  }
}

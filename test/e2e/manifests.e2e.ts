import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Kubectl } from '../../hack/e2e/kubectl.ts';
import { render } from '../../hack/e2e/registration.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';
import { metricsPath, workloads, type MetricsList } from './served.ts';

const account = 'system:serviceaccount:kube-system:kubetally';
const overlays = readdirSync('manifests/overlays');
const components = readdirSync('manifests/components');

/** The Prometheus operator's type, as far as admission needs it. */
const serviceMonitors = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: {
      plural: 'servicemonitors',
      singular: 'servicemonitor',
      kind: 'ServiceMonitor',
      listKind: 'ServiceMonitorList',
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** The manifests as a real API server takes them. The base was really applied before: kubetally is reached through its Service. */
export function checkManifests(stage: Stage): void {
  describe('the manifests', () => {
    let kubectl: Kubectl;
    before(async () => {
      kubectl = await stage.kubectl('admin');
      await kubectl.feed(JSON.stringify(serviceMonitors), 'apply', '-f', '-');
      await kubectl.run('wait', '--for=condition=Established', 'crd', serviceMonitors.metadata.name, '--timeout=30s');
      const restricted = 'pod-security.kubernetes.io/warn=restricted';
      await kubectl.run('label', 'namespace', 'kube-system', restricted, '--overwrite');
    });

    /** Applies without storing; the API server's warnings are failures. */
    async function dryRun(objects: string): Promise<void> {
      const { code, stdout, stderr } = await kubectl.try(['apply', '--dry-run=server', '-f', '-'], objects);
      assert.equal(code, 0, stderr);
      assert.equal(stderr.replaceAll(/^Warning: resource .* is missing the .*\n/gm, ''), '');
      assert.equal(stdout.trim().split('\n').length, objects.split('\n---\n').length);
    }

    it('base: taken without a warning, also under Pod Security "restricted"', async () => {
      await dryRun(await kubectl.run('kustomize', 'manifests/base'));
    });

    for (const overlay of overlays)
      it(`overlay ${overlay}: taken without a warning`, async () => {
        await dryRun(await kubectl.run('kustomize', join('manifests/overlays', overlay)));
      });

    for (const component of components)
      it(`component ${component} on the base: taken without a warning`, async () => {
        const directory = await stage.folder(join('components', component));
        const objects = await render(kubectl, directory, {
          resource: 'base',
          components: [join('components', component)],
        });
        const onHost = component === 'host-network';
        const policy = `pod-security.kubernetes.io/warn=${onHost ? 'privileged' : 'restricted'}`;
        await kubectl.run('label', 'namespace', 'kube-system', policy, '--overwrite');
        await dryRun(objects);
      });

    it('base: its Deployment gets a pod', async (t) => {
      if (!stage.hasControllers) return t.skip('no kube-controller-manager');
      await kubectl.run('rollout', 'status', 'deployment/kubetally', '-n', 'kube-system', '--timeout=30s');
    });

    it('base: its service account may do what kubetally needs and nothing dangerous', async () => {
      const may = async (verb: string, what: string): Promise<string> => {
        const [resource = '', subresource = ''] = what.split('/');
        const asked = [verb, resource, `--subresource=${subresource}`, '--all-namespaces', '--as', account];
        return (await kubectl.try(['auth', 'can-i', ...asked])).stdout.trim();
      };
      for (const what of ['nodes/stats', 'nodes/metrics', 'nodes', 'pods'])
        assert.equal(await may('get', what), 'yes', what);
      for (const what of ['nodes/proxy', 'secrets', 'configmaps', 'pods/exec', 'pods/log'])
        for (const verb of ['get', 'create']) assert.equal(await may(verb, what), 'no', `${verb} ${what}`);
      assert.equal(await may('delete', 'pods'), 'no');
    });

    it('base: the rights of its service account are enough, with the flags of its Deployment', async () => {
      const flags = await stage.deployedFlags();
      assert.ok(flags.length > 2, flags.join(' '));
      const server = await stage.serve(flags, { token: await stage.tokenOf('kube-system', 'kubetally') });
      await server.ready(30_000);
      const viewer = server.client({ client: stage.certificateOf('viewer') });
      await until(30_000, 'all pods are served', async () => {
        const { items } = await viewer.read<MetricsList>(`${metricsPath}/pods`);
        for (const name of workloads)
          assert.ok(
            items.some(({ metadata }) => metadata.name === name),
            name,
          );
      });
      const nobody = await server.client({ client: stage.certificateOf('nobody') }).ask(`${metricsPath}/pods`);
      assert.equal(nobody.status, 403);
      const token = await stage.tokenOf('shop', 'dashboard');
      const reviewed = await server.client({ token }).ask(`${metricsPath}/namespaces/shop/pods`);
      assert.equal(reviewed.status, stage.hasControllers ? 200 : 403, reviewed.body);
      assert.doesNotMatch(server.daemon.log, /^[EW]\d/m);
      assert.equal(await server.daemon.stop(), 0, server.daemon.lastWords);
    });
  });
}

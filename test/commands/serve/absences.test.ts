import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { absences } from '../../../src/commands/serve/absences.ts';
import type { PodInfo } from '../../../src/model/inventory.ts';
import { atOnce } from '../../support/at-once.ts';
import { startCluster } from '../../support/cluster.ts';
import { collect } from '../../support/collection.ts';
import { eventually } from '../../support/eventually.ts';
import { nodeInfo } from '../../support/metrics-sources.ts';

const pod = (name: string): PodInfo => ({ namespace: 'team', name, labels: {}, uid: name, kubeletUid: name });

describe('The absences that serve counts', () => {
  it('lay the pods of a node that was never scraped to that node, and other pods to themselves', async (context) => {
    const cluster = await startCluster(context, { nodes: 3, podsPerNode: 4 });
    await cluster.setKubeletFault('node-00002', { kind: 'refuse' });
    const collecting = await collect(context, cluster, ['--metric-resolution=60s']);
    const counted = async (): Promise<string[]> =>
      (await collecting.series()).filter((line) => line.startsWith('kubetally_absent_objects'));
    await eventually(() => atOnce(collecting.store.census()).container.count === 8, 'usage of the pods of two nodes');
    assert.deepEqual(await counted(), [
      'kubetally_absent_objects{resource="nodes",reason="not_scraped"} 1',
      'kubetally_absent_objects{resource="pods",reason="not_scraped"} 4',
    ]);
    await cluster.removeNode('node-00002');
    cluster.pods.create('team-0', { metadata: { name: 'fresh' }, spec: { containers: [{ name: 'main' }] } });
    await eventually(() => collecting.inventory.podCount === 9, 'the new pod, and the others gone');
    assert.deepEqual(await counted(), ['kubetally_absent_objects{resource="pods",reason="not_reported"} 1']);
  });

  it('are told of by name where a node answers without usage of its own', async (context) => {
    const cluster = await startCluster(context, { nodes: 2, podsPerNode: 1 });
    await cluster.setKubeletFault('node-00001', { kind: 'empty' });
    const collecting = await collect(context, cluster, ['--metric-resolution=10s', '--kubelet-request-timeout=5s']);
    const told = (): string[] =>
      collecting
        .log()
        .split('\n')
        .filter((line) => /has no metrics|own usage/.test(line));
    await eventually(() => told().length === 1, 'the line');
    assert.match(told()[0] ?? '', /"Node answers, but has no metrics".*neither CPU nor memory.*node="node-00001"/);
    await cluster.setKubeletFault('node-00001', undefined);
    await eventually(() => told().length === 2, 'the other line', 40_000);
    assert.match(told()[1] ?? '', /"Node tells its own usage again" node="node-00001"/);
  });

  it('believe the API server where it was asked for the node of a pod', () => {
    const nodes = ['answering', 'dead'].map((name) => nodeInfo(name));
    const pods = [pod('elsewhere'), pod('unknown')];
    const counting = absences(
      { nodes: () => nodes, pods: () => pods },
      {
        node: () => undefined,
        nodeAbsence: (name) => ({ reason: name === 'dead' ? 'not_scraped' : 'expired' }),
        pod: () => undefined,
        podAbsence: (_, nodeScraped) => ({ reason: nodeScraped ? 'not_reported' : 'not_scraped' }),
      },
      ({ name }) => (name === 'elsewhere' ? 'answering' : undefined),
    );
    assert.deepEqual(
      atOnce(counting).map(({ resource, reason, count }) => `${count} ${resource} ${reason}`),
      ['1 nodes expired', '1 nodes not_scraped', '1 pods not_reported', '1 pods not_scraped'],
    );
  });
});

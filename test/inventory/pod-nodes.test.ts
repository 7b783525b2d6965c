import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PodNodes } from '../../src/inventory/pod-nodes.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('the node of a new pod', () => {
  function podNodes(answer: unknown, clock = new FakeClock()): { nodes: PodNodes; asked: string[] } {
    const asked: string[] = [];
    const client = {
      async get<T extends object>(path: string): Promise<T> {
        asked.push(path);
        if (answer instanceof Error) throw answer;
        return answer as T;
      },
    };
    return { nodes: new PodNodes({ client, clock, logger: silentLogger }), asked };
  }

  it('is read from the pod', async () => {
    const { nodes, asked } = podNodes({ spec: { nodeName: 'n1' } });
    assert.equal(await nodes.locate('ns', 'web-0'), 'n1');
    assert.deepEqual(asked, ['/api/v1/namespaces/ns/pods/web-0']);
  });

  it('is unknown when the pod has none or cannot be read', async () => {
    for (const answer of [{}, { spec: null }, { spec: { nodeName: '' } }, { spec: { nodeName: 7 } }, new Error('gone')])
      assert.equal(await podNodes(answer).nodes.locate('ns', 'p'), undefined);
  });

  it('is asked for twenty times at once and ten times a second in the long run', async () => {
    const clock = new FakeClock();
    const { nodes, asked } = podNodes({ spec: { nodeName: 'n1' } }, clock);
    for (let i = 0; i < 100; i++) await nodes.locate('ns', `p${i}`);
    assert.equal(asked.length, 20);
    await clock.advance(1000);
    for (let i = 0; i < 100; i++) await nodes.locate('ns', `p${i}`);
    assert.equal(asked.length, 30);
    await clock.advance(3_600_000);
    for (let i = 0; i < 100; i++) await nodes.locate('ns', `p${i}`);
    assert.equal(asked.length, 50);
  });
});

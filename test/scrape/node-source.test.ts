import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeInfo } from '../../src/model/inventory.ts';
import { KnownStrings } from '../../src/model/known-strings.ts';
import { epochMs, monotonicMs, seconds, type Milliseconds } from '../../src/model/units.ts';
import type { KubeletSource } from '../../src/options/kubelet-flags.ts';
import type { AnswerTiming } from '../../src/scrape/kubelet-client.ts';
import { NodeSource } from '../../src/scrape/node-source.ts';
import { ScrapeError } from '../../src/scrape/scrape-error.ts';
import { SummaryDecoder } from '../../src/scrape/summary.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { nodeInfo } from '../support/metrics-sources.ts';

const summary = '/stats/summary?only_cpu_and_memory=true';
const resource = '/metrics/resource';
const node = nodeInfo('worker-1');
const never = new AbortController().signal;

/** A kubelet as a table of answers: a body, or the error that getting it ends with. */
class SourceTest {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly fallbacks: ScrapeError[] = [];
  readonly answers = new Map<string, string | ScrapeError>([
    [summary, '{"node":{"cpu":{"time":"2026-11-22T10:00:00Z","usageCoreNanoSeconds":5}},"pods":[]}'],
    [resource, 'node_cpu_usage_seconds_total 7 1000\n'],
  ]);
  readonly source: NodeSource;

  constructor(choice: KubeletSource = 'auto') {
    const get = async <Result>(
      _node: NodeInfo,
      path: string,
      _deadline: Milliseconds,
      _signal: AbortSignal,
      read: (body: Buffer, timing: AnswerTiming, address: string) => Result,
    ): Promise<Result> => {
      this.asked.push(path);
      const answer = this.answers.get(path) ?? new ScrapeError('status', 'not found', { status: 404 });
      if (answer instanceof ScrapeError) throw answer;
      const timing = {
        requestedAt: monotonicMs(0),
        answeredAt: monotonicMs(0),
        answeredAtWall: epochMs(0),
        date: undefined,
      };
      return await Promise.resolve(read(Buffer.from(answer), timing, '10.0.0.1'));
    };
    this.source = new NodeSource({
      kubelets: { get },
      clock: this.clock,
      choice,
      summaries: new SummaryDecoder(),
      strings: new KnownStrings(),
      isNode: (name) => ['worker-1', 'worker-2'].includes(name),
      onFallback: (_node, cause) => this.fallbacks.push(cause),
    });
  }

  refuse(status: number): void {
    this.answers.set(summary, new ScrapeError('status', `${status}`, { status }));
  }

  async read(of: NodeInfo = node): Promise<string> {
    let source = 'nothing';
    await this.source.read(of, seconds(10), never, (reading) => (source = reading.source));
    return source;
  }
}

describe('the source of a node', () => {
  it('is the Summary API, of which only CPU and memory are asked for', async () => {
    const test = new SourceTest();
    assert.equal(await test.read(), 'summary');
    assert.deepEqual(test.asked, [summary]);
  });

  for (const status of [400, 403, 404, 405, 410, 501])
    it(`turns to /metrics/resource within the cycle when the Summary API answers ${status}`, async () => {
      const test = new SourceTest();
      test.refuse(status);
      assert.equal(await test.read(), 'resource');
      assert.equal(test.fallbacks[0]?.status, status);
    });

  it('turns to /metrics/resource when the summary cannot be read', async () => {
    const test = new SourceTest();
    test.answers.set(summary, '{"node":{"cpu":NaN');
    assert.equal(await test.read(), 'resource');
  });

  for (const status of [401, 500, 503])
    it(`does not take ${status} for a lack of the Summary API`, async () => {
      const test = new SourceTest();
      test.refuse(status);
      await assert.rejects(test.read(), { code: 'status', status });
      assert.deepEqual(test.asked, [summary]);
    });

  it('remembers a refusal for ten minutes, then asks again', async () => {
    const test = new SourceTest();
    test.refuse(404);
    await test.read();
    await test.clock.advance(599_000);
    await test.read();
    assert.deepEqual(test.asked, [summary, resource, resource]);
    await test.clock.advance(2000);
    await test.read();
    assert.deepEqual(test.asked.slice(3), [summary, resource]);
  });

  it('remembers an unreadable summary for a minute only', async () => {
    const test = new SourceTest();
    test.answers.set(summary, 'garbage');
    await test.read();
    await test.clock.advance(61_000);
    await test.read();
    assert.deepEqual(test.asked, [summary, resource, summary, resource]);
  });

  it('is said to have turned to /metrics/resource once, and again only when the Summary API was readable in between', async () => {
    const test = new SourceTest();
    const readable = test.answers.get(summary) ?? '';
    const told: number[] = [];
    for (const answer of ['garbage', 'garbage', 'garbage', readable, 'garbage']) {
      test.answers.set(summary, answer);
      await test.read();
      told.push(test.fallbacks.length);
      await test.clock.advance(61_000);
    }
    assert.deepEqual(told, [1, 1, 1, 1, 2]);
  });

  it('blames the Summary API when both fail, and asks it again next time', async () => {
    const test = new SourceTest();
    test.refuse(403);
    test.answers.set(resource, new ScrapeError('status', '403', { status: 403 }));
    await assert.rejects(test.read(), { code: 'status', message: '403' });
    await assert.rejects(test.read(), { code: 'status' });
    assert.deepEqual(test.asked, [summary, resource, summary, resource]);
    assert.equal(test.fallbacks.length, 0);
  });

  it('is not a kubelet that says it is that of another node', async () => {
    const test = new SourceTest();
    test.answers.set(summary, '{"node":{"nodeName":"worker-2"},"pods":[]}');
    await assert.rejects(test.read(), {
      code: 'other_node',
      message: 'the kubelet at 10.0.0.1 is that of node worker-2',
    });
    assert.deepEqual(test.asked, [summary]);
  });

  for (const name of ['"worker-1"', '"virtual-kubelet"', '""', 'null'])
    it(`is a kubelet that says the name of its node is ${name}`, async () => {
      const test = new SourceTest();
      test.answers.set(summary, `{"node":{"nodeName":${name}},"pods":[]}`);
      assert.equal(await test.read(), 'summary');
    });

  it('is only the Summary API when so chosen', async () => {
    const test = new SourceTest('summary');
    test.refuse(404);
    await assert.rejects(test.read(), { status: 404 });
    assert.deepEqual(test.asked, [summary]);
  });

  it('is only /metrics/resource when so chosen', async () => {
    const test = new SourceTest('resource');
    assert.equal(await test.read(), 'resource');
    assert.deepEqual(test.asked, [resource]);
  });

  it('is the path of the annotation metrics.k8s.io/resource-metrics-path where a node has it', async () => {
    const test = new SourceTest();
    test.answers.set('/metrics/nodes/worker-1/metrics/resource', 'node_cpu_usage_seconds_total 7 1000\n');
    assert.equal(
      await test.read({ ...node, resourceMetricsPath: '/metrics/nodes/worker-1/metrics/resource' }),
      'resource',
    );
    assert.deepEqual(test.asked, ['/metrics/nodes/worker-1/metrics/resource']);
  });

  for (const choice of ['auto', 'summary', 'resource'] as const)
    for (const resourceMetricsPath of [undefined, '/x/metrics'])
      it(`says where ${resourceMetricsPath ?? 'no path of its own'} is read from when the choice is ${choice}`, async () => {
        const test = new SourceTest(choice);
        test.answers.set('/x/metrics', 'node_cpu_usage_seconds_total 7 1000\n');
        const annotated = { ...node, resourceMetricsPath };
        assert.equal(test.source.current(annotated), await test.read(annotated));
      });

  it('says so too once the Summary API is refused', async () => {
    const test = new SourceTest();
    test.refuse(404);
    assert.equal(test.source.current(node), 'summary');
    await test.read();
    assert.equal(test.source.current(node), 'resource');
  });
});

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import { milliseconds } from '../../src/model/units.ts';
import { Reviewer, type ReviewClient } from '../../src/server/review-client.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { failure, FakeApiServer, hang, json, reset, type Answer } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { apiServer } from '../support/fake-credentials.ts';

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const answer = { status: { allowed: true } };
const serverError = (status: number): Error => Object.assign(new Error(`status ${status}`), { status });

describe('Reviews', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  function reviewing(create: ReviewClient['create']) {
    const clock = new FakeClock();
    let calls = 0;
    const reviews: ReviewClient = {
      create: async (...call) => {
        calls++;
        return await create(...call);
      },
    };
    const reviewer = new Reviewer(path, { reviews, clock, random: () => 0, log: silentLogger });
    return { clock, calls: () => calls, post: async () => await reviewer.post({}) };
  }

  /** Over real sockets; the reviewer's time stands still, so that whoever waits for it waits for ever. */
  async function connected(...answers: Answer[]) {
    const server = await FakeApiServer.start();
    closing.push(async () => await server.close());
    const client = new KubeClient(await apiServer(server.on(path, ...answers)));
    closing.push(async () => await client.close());
    return { server, ...reviewing(async (to, body, signal) => await client.create(to, body, { signal })) };
  }

  it('are refused at once while nobody listens', async () => {
    const { server, post } = await connected();
    await server.close();
    await assert.rejects(post(), /ECONNREFUSED/);
    await assert.rejects(post(), /ECONNREFUSED/);
  });

  it('are repeated when the connection is reset', async () => {
    const { server, clock, post } = await connected(reset, reset, json(answer));
    const posted = post();
    // The client itself sends a request a second time when its connection turns out to be gone.
    await eventually(() => server.requests.length === 2 && clock.waiting === 2);
    await clock.advance(500);
    assert.deepEqual(await posted, answer);
  });

  it('wait for an API server that does not answer once, and from then on one of them per second', async () => {
    const { server, clock, calls, post } = await connected(hang);
    const first = Promise.allSettled(Array.from({ length: 20 }, post));
    await eventually(() => server.requests.length === 20);
    await clock.advance(10_000);
    assert.ok((await first).every(({ status }) => status === 'rejected'));
    const probes: Promise<void>[] = [];
    for (const sent of [20, 21, 22]) {
      for (let round = 0; round < 10; round++) await assert.rejects(post(), /did not answer in 10s/);
      assert.equal(calls(), sent);
      await clock.advance(1000);
      probes.push(assert.rejects(post(), /did not answer in 10s/));
    }
    await clock.advance(10_000);
    await Promise.all(probes);
    assert.equal(clock.waiting, 0);
  });

  it('go on as soon as one is answered again', async () => {
    const { server, clock, post } = await connected(failure(503, 'ServiceUnavailable', 'starting'), json(answer));
    await assert.rejects(post(), /starting/);
    await assert.rejects(post(), /starting/);
    assert.equal(server.requests.length, 1);
    await clock.advance(1000);
    assert.deepEqual(await post(), answer);
    assert.deepEqual(await Promise.all([post(), post()]), [answer, answer]);
  });

  it('take ten seconds at most, however often they are repeated', async () => {
    const { clock, post, calls } = reviewing(async () => {
      await new Promise<void>((resolve) => clock.after(milliseconds(4000), resolve));
      throw serverError(500);
    });
    const refused = assert.rejects(post(), /did not answer in 10s/);
    await clock.advance(10_000);
    await refused;
    assert.equal(calls(), 3);
    await clock.advance(4000);
    assert.equal(clock.waiting, 0);
  });

  it('that fail for one user do not hold up those that are answered meanwhile', async () => {
    let first = true;
    const { clock, post } = reviewing(async () => {
      if (!first) return answer;
      first = false;
      return await new Promise(() => undefined);
    });
    const slow = assert.rejects(post(), /did not answer in 10s/);
    await clock.advance(5000);
    await post();
    await clock.advance(5000);
    await slow;
    assert.deepEqual(await post(), answer);
  });

  it('that the API server refuses do not count as an outage', async () => {
    const { post, calls } = reviewing(async () => await Promise.reject(serverError(403)));
    await assert.rejects(post());
    await assert.rejects(post());
    assert.equal(calls(), 2);
  });
});

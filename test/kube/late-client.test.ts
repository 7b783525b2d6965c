import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lateClient, type ApiRequests } from '../../src/kube/late-client.ts';

/** Answers each request with what it was asked. */
const echo = {
  get: async (...request: unknown[]) => await Promise.resolve(['get', ...request]),
  create: async (...request: unknown[]) => await Promise.resolve(['create', ...request]),
  replace: async (...request: unknown[]) => await Promise.resolve(['replace', ...request]),
  patch: async (...request: unknown[]) => await Promise.resolve(['patch', ...request]),
  stream: async (...request: unknown[]) => await Promise.resolve(['stream', ...request]),
} as unknown as ApiRequests;

describe('A client that is not there yet', () => {
  it('answers each request as the client does once that has come', async () => {
    let arrive: (client: ApiRequests) => void = () => {};
    const arrival = new Promise<ApiRequests>((resolve) => (arrive = resolve));
    const late = lateClient(async () => await arrival);
    const options = { headers: { accept: 'text/plain' } };
    const answers = Promise.all([
      late.get('/a', options),
      late.create('/b', { b: 1 }, options),
      late.replace('/c', { c: 1 }, options),
      late.patch('/d', { d: 1 }, options),
      late.stream('/e', options),
    ]);
    arrive(echo);
    assert.deepEqual(await answers, [
      ['get', '/a', options],
      ['create', '/b', { b: 1 }, options],
      ['replace', '/c', { c: 1 }, options],
      ['patch', '/d', { d: 1 }, options],
      ['stream', '/e', options],
    ]);
  });

  it('fails each request when there will be none', async () => {
    const late = lateClient(async () => await Promise.reject(new Error('no kubeconfig')));
    await assert.rejects(late.get('/a'), /no kubeconfig/);
    await assert.rejects(late.stream('/b'), /no kubeconfig/);
  });
});

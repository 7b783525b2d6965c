import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { NamespacePods } from '../../src/inventory/namespace-pods.ts';
import type { PodInfo } from '../../src/model/inventory.ts';
import { podInfo } from '../support/metrics-sources.ts';

describe('the pods of a namespace', () => {
  /** How often the labels of a pod were looked at. */
  let looked: number;
  let pods: NamespacePods;
  beforeEach(() => {
    looked = 0;
    pods = new NamespacePods();
    pods.set(pod('first'));
  });

  function pod(name: string): PodInfo {
    return {
      ...podInfo('ns', name),
      get labels() {
        looked++;
        return { app: 'x' };
      },
    };
  }

  it('are indexed while somebody asks, and no longer when many have come since', () => {
    pods.withLabel('app', 'x', {});
    looked = 0;
    pods.set(pod('second'));
    assert.equal(looked, 1);
    for (let i = 0; i < 1000; i++) pods.set(pod(`pod-${i}`));
    assert.ok(looked < 100, `${looked} times`);
    assert.equal(pods.withLabel('app', 'x', {}).length, 1002);
  });

  it('are indexed by the few labels that were asked for last', () => {
    for (let i = 0; i < 50; i++) pods.withLabel(`key-${i}`, 'x', {});
    pods.withLabel('app', 'x', {});
    looked = 0;
    pods.set(pod('second'));
    assert.ok(looked > 0 && looked < 10, `${looked} times`);
    looked = 0;
    assert.equal(pods.withLabel('app', 'x', {}).length, 2);
    assert.equal(looked, 0);
  });
});

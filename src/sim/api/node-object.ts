import type { EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { Address } from '../endpoint.ts';
import type { KubeObject } from './object-store.ts';
import { age } from './resource-type.ts';
import type { SimulatedNode } from '../node/simulated-node.ts';

/** The Node that the API server shows, with its kubelet's address and port. */
export function nodeObject(node: SimulatedNode, address: Address, ready: boolean, now: EpochMs): KubeObject {
  const { name, uid, labels, cpus, memory, bootedAt } = node.birth;
  const time = formatTime(now);
  const resources = (less: number): Readonly<Record<string, string>> => ({
    cpu: String(cpus - less),
    memory: `${Math.round(memory / 1_073_741_824) - 8 * less}Gi`,
    pods: '250',
  });
  const condition = {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: ready ? 'KubeletReady' : 'KubeletNotReady',
    lastHeartbeatTime: time,
    lastTransitionTime: ready ? formatTime(bootedAt) : time,
  };
  return {
    meta: { name, uid, labels, createdAt: bootedAt },
    fields: { 'spec.unschedulable': 'false' },
    content: () => ({
      spec: {},
      status: {
        addresses: [
          { type: 'InternalIP', address: address.host },
          { type: 'Hostname', address: name },
        ],
        daemonEndpoints: { kubeletEndpoint: { Port: address.port } },
        capacity: resources(0),
        allocatable: resources(1),
        conditions: [condition],
        nodeInfo: {
          kubeletVersion: 'v1.36.0-sim',
          operatingSystem: 'linux',
          architecture: 'amd64',
          osImage: 'Simulated Linux',
          kernelVersion: '6.1.0',
          containerRuntimeVersion: 'simulated://1.0',
        },
      },
    }),
    cells: (at) => [
      ready ? 'Ready' : 'NotReady',
      '<none>',
      age(bootedAt, at),
      'v1.36.0-sim',
      address.host,
      '<none>',
      'Simulated Linux',
      '6.1.0',
      'simulated://1.0',
    ],
  };
}

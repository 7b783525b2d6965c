import { bytes, nanocores } from '../model/units.ts';
import { ApiFailure } from './api-status.ts';
import type { ContainerPlan, PodPlan } from './pod-factory.ts';
import { hexDigits, randomUid, type Random } from './seeded-random.ts';
import type { ContainerUsage } from './usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Annotations by which a Pod's author scripts what its containers use: quantities such as `250m` and `64Mi`. */
export const cpuAnnotation = 'sim.kubetally.dev/cpu';
export const memoryAnnotation = 'sim.kubetally.dev/memory';

/**
 * Reads a Pod that somebody posts.
 * @param nodeName where it goes when it names no node itself
 * @throws ApiFailure 422 when it has no name or no containers, or an annotation is no quantity
 */
export function podPlan(namespace: string, body: Fields, nodeName: string, random: Random): PodPlan {
  const metadata = fields(body['metadata']);
  const spec = fields(body['spec']);
  const generated = text(metadata['generateName']);
  const name = text(metadata['name']) ?? (generated === undefined ? undefined : generated + hexDigits(random, 5));
  if (name === undefined || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))
    throw new ApiFailure(422, 'Invalid', 'Pod is invalid: metadata.name: Required value: a DNS-1123 subdomain');
  const annotations = texts(metadata['annotations']);
  const usage = annotatedUsage(annotations);
  const containers = [
    ...containerPlans(spec['initContainers'], true, usage),
    ...containerPlans(spec['containers'], false, usage),
  ];
  if (!containers.some(({ role }) => role === 'main'))
    throw new ApiFailure(422, 'Invalid', `Pod "${name}" is invalid: spec.containers: Required value`);
  const uid = randomUid(random);
  const labels = texts(metadata['labels']);
  return {
    namespace,
    name,
    uid,
    kubeletUid: uid,
    labels,
    annotations,
    nodeName: text(spec['nodeName']) ?? nodeName,
    containers,
    spec,
  };
}

function containerPlans(list: unknown, init: boolean, usage: ContainerUsage): ContainerPlan[] {
  if (!Array.isArray(list)) return [];
  return list.map((item) => {
    const container = fields(item);
    const sidecar = container['restartPolicy'] === 'Always';
    return {
      name: text(container['name']) ?? 'main',
      role: init ? (sidecar ? 'sidecar' : 'init') : 'main',
      image: text(container['image']),
      usage,
    };
  });
}

function annotatedUsage(annotations: Readonly<Record<string, string>>): ContainerUsage {
  const cores = quantity(annotations, cpuAnnotation, '50m');
  const size = quantity(annotations, memoryAnnotation, '32Mi');
  return {
    cpu: { kind: 'constant', value: nanocores(Math.round(cores * 1e9)) },
    memory: { kind: 'constant', value: bytes(Math.round(size)) },
  };
}

const scales: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

function quantity(annotations: Readonly<Record<string, string>>, key: string, otherwise: string): number {
  const value = annotations[key] ?? otherwise;
  const [, digits = '', suffix = ''] = /^(\d+(?:\.\d+)?)(m|k|M|Ki|Mi|Gi|)$/.exec(value) ?? [];
  if (digits === '')
    throw new ApiFailure(422, 'Invalid', `Pod is invalid: metadata.annotations[${key}]: Invalid value: "${value}"`);
  return Number(digits) * (scales[suffix] ?? 1);
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A map of strings without a prototype, for `__proto__` may be a key. */
function texts(value: unknown): Readonly<Record<string, string>> {
  const map = Object.create(null) as Record<string, string>;
  for (const [key, entry] of Object.entries(fields(value))) if (typeof entry === 'string') map[key] = entry;
  return map;
}

import { asRecord, text } from '../../inventory/metadata.ts';
import { parseBytes, parseCpu } from '../../kube/quantity.ts';
import { bytes, nanocores } from '../../model/units.ts';
import { StatusError } from '../../wire/status.ts';
import type { ContainerPlan, PodPlan } from '../node/pod-factory.ts';
import { hexDigits, randomUid, type Random } from '../seeded-random.ts';
import type { ContainerUsage } from '../node/usage.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Names stand in documents as they are. */
const dnsName = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Annotations by which a Pod's author scripts what its containers use: quantities such as `250m` and `64Mi`. */
const cpuAnnotation = 'sim.kubetally.dev/cpu';
const memoryAnnotation = 'sim.kubetally.dev/memory';

/**
 * Reads a Pod that somebody posts.
 * @param nodeName where it goes when it names no node itself
 * @throws StatusError 422 when it has no name or no containers, or no good ones, or an annotation is no quantity
 */
export function podPlan(namespace: string, body: Fields, nodeName: string, random: Random): PodPlan {
  const metadata = asRecord(body['metadata']);
  const spec = asRecord(body['spec']);
  const generated = text(metadata['generateName']);
  const name = text(metadata['name']) ?? (generated === undefined ? undefined : generated + hexDigits(random, 5));
  if (name === undefined || !dnsName.test(name))
    throw new StatusError('invalid', 'Pod is invalid: metadata.name: Required value: a DNS-1123 subdomain');
  const annotations = texts(metadata['annotations']);
  const usage = annotatedUsage(annotations);
  const containers = [
    ...containerPlans(spec['initContainers'], true, usage),
    ...containerPlans(spec['containers'], false, usage),
  ];
  if (!containers.some(({ role }) => role === 'main'))
    throw new StatusError('invalid', `Pod "${name}" is invalid: spec.containers: Required value`);
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
    const container = asRecord(item);
    const name = text(container['name']) ?? '';
    if (!dnsName.test(name))
      throw new StatusError('invalid', `Pod is invalid: spec.containers.name: Invalid value: "${name}"`);
    const sidecar = container['restartPolicy'] === 'Always';
    return {
      name,
      role: init ? (sidecar ? 'sidecar' : 'init') : 'main',
      image: text(container['image']),
      usage,
    };
  });
}

function annotatedUsage(annotations: Readonly<Record<string, string>>): ContainerUsage {
  const read = <Value>(key: string, otherwise: Value, parse: (text: string) => Value | undefined): Value => {
    const written = annotations[key];
    const value = written === undefined ? otherwise : parse(written);
    if (value !== undefined) return value;
    throw new StatusError('invalid', `Pod is invalid: metadata.annotations[${key}]: Invalid value: "${written}"`);
  };
  return {
    cpu: { kind: 'constant', value: read(cpuAnnotation, nanocores(50_000_000), parseCpu) },
    memory: { kind: 'constant', value: read(memoryAnnotation, bytes(33_554_432), parseBytes) },
  };
}

/** A map of strings without a prototype, for `__proto__` may be a key. */
function texts(value: unknown): Readonly<Record<string, string>> {
  const map = Object.create(null) as Record<string, string>;
  for (const [key, entry] of Object.entries(asRecord(value))) if (typeof entry === 'string') map[key] = entry;
  return map;
}

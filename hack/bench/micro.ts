import { matchesLabels, parseLabelSelector } from '../../src/kube/selectors/label-selector.ts';
import { allItems, type MetricsList } from '../../src/metrics-api/list.ts';
import type { PodMetrics } from '../../src/metrics-api/objects.ts';
import { epochMs, nanocores } from '../../src/model/units.ts';
import { SummaryDecoder } from '../../src/scrape/summary.ts';
import { SimulatedCluster } from '../../src/sim/cluster.ts';
import { SummaryDocument } from '../../src/sim/kubelet/summary-document.ts';
import { wholeBody } from '../../src/wire/body.ts';
import { encodeMetrics } from '../../src/wire/encode.ts';
import { jsonFragment } from '../../src/wire/json-fragment.ts';
import { objectJson } from '../../src/wire/json-objects.ts';
import { protobufFragment } from '../../src/wire/protobuf-fragment.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { formatNanocores } from '../../src/wire/quantity.ts';
import { makeStamp } from '../../src/wire/time.ts';
import type { Figure } from './figure.ts';
import { timeBeside } from './harness.ts';
import { MicroCluster } from './micro-cluster.ts';
import type { ClusterSize, Settings } from './settings.ts';

const now = epochMs(Date.parse('2026-11-22T10:15:41Z'));
const everything = {
  labelSelector: { requirements: [] },
  fieldSelector: { terms: [] },
  limit: 0,
  continueToken: '',
};

interface Piece {
  readonly name: string;
  /** Figures are given by such a thing; one call deals with so many. */
  readonly per: string;
  readonly count: number;
  readonly work: () => unknown;
  /** The least that could take its place. */
  readonly floor: () => unknown;
}

/** The pieces of the hot paths, each beside the plainest way to come near to it. */
export async function benchMicro({ size, say }: Settings): Promise<readonly Figure[]> {
  const body = await summaryBody(size);
  const cluster = new MicroCluster(size);
  for (let round = 0; round < 3; round++) cluster.feed();
  const pieces = [decoding(body, size), storing(size), ...encoding(cluster), ...lists(cluster), ...selecting(cluster)];
  return pieces.map(({ name, per, count, work, floor }) => {
    say(`micro: ${name}`);
    const timing = timeBeside(work, floor);
    return {
      bench: 'micro',
      name: `${name}, per ${per}`,
      unit: 'us',
      kubetally: timing.work / 1000 / count,
      floor: timing.floor / 1000 / count,
    };
  });
}

/** What a simulated kubelet answers. */
async function summaryBody({ podsPerNode }: ClusterSize): Promise<Buffer> {
  const cluster = await SimulatedCluster.start({ nodes: 1, podsPerNode });
  try {
    const { node } = cluster.kubelet('node-00000');
    const request = { node, now: epochMs(Date.now()), cpuAndMemoryOnly: true, random: Math.random };
    return new SummaryDocument(true).write(request).content;
  } finally {
    await cluster.stop();
  }
}

function decoding(body: Buffer, { podsPerNode }: ClusterSize): Piece {
  const summaries = new SummaryDecoder();
  return {
    name: `decode a summary of ${Math.round(body.length / 1024)} KiB (floor: JSON.parse)`,
    per: 'pod',
    count: podsPerNode,
    work: () => summaries.decode(body),
    floor: () => JSON.parse(body.toString()) as unknown,
  };
}

/** Both sides include making the readings. */
function storing(size: ClusterSize): Piece {
  const [cluster, bare] = [new MicroCluster(size), new MicroCluster(size)];
  const kept = new Map<string, unknown>();
  return {
    name: 'store and rate (floor: samples into a Map)',
    per: 'pod',
    count: size.nodes * size.podsPerNode,
    work: () => cluster.feed(),
    floor: () => {
      for (const node of bare.inventory.nodes())
        for (const pod of bare.reading(node).pods) kept.set(pod.uid ?? '', pod.containers);
    },
  };
}

/** The same object after its usage changed. */
function changed(pod: PodMetrics, revision: number): PodMetrics {
  const { kind, name, namespace, labels, nodeName, timestamp, window, containers, encoded } = pod;
  return { kind, name, namespace, labels, nodeName, timestamp, window, containers, encoded, revision };
}

function encoding(cluster: MicroCluster): readonly Piece[] {
  const [pod] = allItems(podList(cluster));
  if (pod?.kind !== 'PodMetrics') throw new Error('the cluster made no windows');
  const plain = JSON.parse(objectJson(pod, 'v1', makeStamp(now))) as unknown;
  const floor = (): unknown => Buffer.from(JSON.stringify(plain));
  const per = 'object';
  let revision = 0;
  const next = (): PodMetrics => changed(pod, ++revision);
  return [
    { name: 'encode a pod, JSON (floor: JSON.stringify)', per, count: 1, work: () => jsonFragment(next()), floor },
    {
      name: 'encode a pod, protobuf (floor: JSON.stringify)',
      per,
      count: 1,
      work: () => protobufFragment(next()),
      floor,
    },
    {
      name: 'quantity (floor: String)',
      per: 'quantity',
      count: 1,
      work: () => formatNanocores(nanocores(66_512_000)),
      floor: () => `${String(66_512_000)}n`,
    },
  ];
}

function lists(cluster: MicroCluster): readonly Piece[] {
  const pieceMemory = new PieceMemory();
  return (['json', 'protobuf'] as const).map((encoding) => {
    const format = { encoding, pretty: false, transform: undefined };
    const work = (): Buffer => {
      const request = { format, apiVersion: 'v1', includeObject: undefined, now, pieceMemory } as const;
      return wholeBody(encodeMetrics(podList(cluster), request).body);
    };
    const bytes = work();
    const count = cluster.inventory.podCount;
    const floor = (): unknown => Buffer.from(bytes);
    return { name: `list all pods, ${encoding}, nothing changed (floor: memcpy)`, per: 'pod', count, work, floor };
  });
}

function selecting({ inventory }: MicroCluster): readonly Piece[] {
  const text = 'app=app-3,tier in (front,back)';
  const selector = parseLabelSelector(text);
  const labels = inventory.pods().map((pod) => pod.labels);
  return [
    {
      name: 'parse a selector (floor: split)',
      per: 'selector',
      count: 1,
      work: () => parseLabelSelector(text),
      floor: () => text.split(/[=, ]/),
    },
    {
      name: 'match a selector (floor: ===)',
      per: 'pod',
      count: labels.length,
      work: () => labels.filter((set) => matchesLabels(selector, set)).length,
      floor: () => labels.filter(({ app, tier }) => app === 'app-3' && (tier === 'front' || tier === 'back')).length,
    },
  ];
}

function podList({ catalog }: MicroCluster): MetricsList {
  return catalog.listPods('', everything);
}

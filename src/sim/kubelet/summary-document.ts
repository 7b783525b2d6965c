import { epochMs, type EpochMs } from '../../model/units.ts';
import { AsciiPage } from './ascii-page.ts';
import { shuffle, type Random } from '../seeded-random.ts';
import type { SimulatedContainer } from '../node/simulated-container.ts';
import type { SimulatedNode } from '../node/simulated-node.ts';
import type { SimulatedPod } from '../node/simulated-pod.ts';
import { containerExtras, nodeExtras, podExtras } from './summary-extras.ts';
import { fieldsText, SecondTexts, UsageText } from './usage-text.ts';

export interface SummaryRequest {
  readonly node: SimulatedNode;
  readonly now: EpochMs;
  /** `?only_cpu_and_memory=true`. */
  readonly cpuAndMemoryOnly: boolean;
  /** Orders pods and containers, which a kubelet holds in maps. */
  readonly random: Random;
}

const comma = Buffer.from(',');
const podHead = Buffer.from('\n  {\n   "podRef": {\n    "name": "');
const podNamespace = Buffer.from('",\n    "namespace": "');
const podUid = Buffer.from('",\n    "uid": "');
const podStart = Buffer.from('"\n   },\n   "startTime": "');
const podContainers = Buffer.from('",\n   "containers": [');
const podContainersEnd = Buffer.from('\n   ]');
const podEnd = Buffer.from('\n  }');
const containerHead = Buffer.from('\n    {\n     "name": "');
const containerStart = Buffer.from('",\n     "startTime": "');
const containerEnd = Buffer.from('\n    }');

/**
 * Writes the body of `GET /stats/summary` (`Summary` of `k8s.io/kubelet/pkg/apis/stats/v1alpha1`) for any number of kubelets: indented by one space, times in
 * whole seconds, pods and containers in random order, `pods` null on an empty node every now and then. ASCII only.
 */
export class SummaryDocument {
  readonly #unused: AsciiPage[] = [];
  readonly #times = new SecondTexts();
  readonly #node: UsageText;
  readonly #system: UsageText;
  readonly #pod: UsageText;
  readonly #container: UsageText;

  /** @param psi whether there is pressure stall information, as kubelets of 1.36 send it */
  constructor(psi: boolean) {
    const usage = (depth: number): UsageText => new UsageText(depth, psi, this.#times);
    [this.#node, this.#system, this.#pod, this.#container] = [usage(2), usage(4), usage(3), usage(5)];
  }

  /** The page belongs to the caller, who may give it back with `reuse`. */
  write(request: SummaryRequest): AsciiPage {
    const { node, now, random } = request;
    const page = this.#unused.pop() ?? new AsciiPage();
    page.clear();
    this.#writeNode(page, request);
    const pods = shuffle(
      [...node.pods].filter((pod) => isListed(pod, now)),
      random,
    );
    if (pods.length === 0) page.text(`,\n "pods": ${random() < 0.5 ? 'null' : '[]'}\n}`);
    else {
      page.text(',\n "pods": [');
      for (const [index, pod] of pods.entries()) {
        if (index > 0) page.piece(comma);
        this.#writePod(page, pod, request);
      }
      page.text('\n ]\n}');
    }
    return page;
  }

  /** Takes back a page whose content nobody reads any more. */
  reuse(page: AsciiPage): void {
    this.#unused.push(page);
  }

  #writeNode(page: AsciiPage, { node, now, cpuAndMemoryOnly }: SummaryRequest): void {
    const { bootedAt, name, memory, cpus } = node.birth;
    const cgroupStart = this.#times.text(epochMs(bootedAt + 3000));
    const start = cpuAndMemoryOnly ? cgroupStart : this.#times.text(bootedAt);
    page.text(`{\n "node": {\n  "nodeName": "${name}",\n  "systemContainers": [`);
    page.text(`\n   {\n    "name": "pods",\n    "startTime": "${cgroupStart}"`);
    this.#system.write(page, node.podsSample(now), memory);
    page.text(`\n   }\n  ],\n  "startTime": "${start}"`);
    this.#node.write(page, node.rootSample(now), memory);
    if (!cpuAndMemoryOnly) page.text(fieldsText(nodeExtras(now, bootedAt, cpus), '  '));
    page.text('\n }');
  }

  #writePod(page: AsciiPage, pod: SimulatedPod, request: SummaryRequest): void {
    const { now, cpuAndMemoryOnly, random } = request;
    const { namespace, name, kubeletUid, startedAt, containers } = pod.birth;
    page.piece(podHead);
    page.text(name);
    page.piece(podNamespace);
    page.text(namespace);
    page.piece(podUid);
    page.text(kubeletUid);
    page.piece(podStart);
    // The brief document takes the start of the pod's cgroup, the full one that of the Pod's status.
    page.text(this.#times.text(cpuAndMemoryOnly ? epochMs(startedAt + 300) : startedAt));
    page.piece(podContainers);
    let first = true;
    for (const container of containers.length === 1 ? containers : shuffle([...containers], random)) {
      const runningSince = container.startedAt(now);
      if (runningSince === undefined) continue;
      if (!first) page.piece(comma);
      first = false;
      this.#writeContainer(page, container, runningSince, request);
    }
    page.piece(podContainersEnd);
    this.#pod.write(page, pod.sample(now));
    if (!cpuAndMemoryOnly) page.text(fieldsText(podExtras(now, startedAt, pod), '   '));
    page.piece(podEnd);
  }

  #writeContainer(
    page: AsciiPage,
    container: SimulatedContainer,
    startedAt: EpochMs,
    { now, cpuAndMemoryOnly }: SummaryRequest,
  ): void {
    page.piece(containerHead);
    page.text(container.name);
    page.piece(containerStart);
    page.text(this.#times.text(startedAt));
    page.text('"');
    this.#container.write(page, container.sample(now));
    if (!cpuAndMemoryOnly) page.text(fieldsText(containerExtras(now), '     '));
    page.piece(containerEnd);
  }
}

/** A kubelet does not tell of a pod of which no container runs. */
function isListed({ birth: { startedAt, containers } }: SimulatedPod, now: EpochMs): boolean {
  return startedAt <= now && containers.some((container) => container.startedAt(now) !== undefined);
}

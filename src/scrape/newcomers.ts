import type { Clock } from '../model/clock.ts';
import type { PodInfo } from '../model/inventory.ts';
import { seconds, type Milliseconds } from '../model/units.ts';

export interface NewcomersOptions {
  readonly clock: Clock;
  /** The pod of that name that runs now. */
  readonly find: (namespace: string, name: string) => PodInfo | undefined;
  readonly isServed: (pod: PodInfo) => boolean;
  /** The node that has reported the pod, if any. */
  readonly reportedBy: (pod: PodInfo) => string | undefined;
  /** Asks the API server where the pod runs. Never rejects. */
  readonly locate: (pod: PodInfo) => Promise<string | undefined>;
  /** Scrapes a node soon. */
  readonly pull: (nodeName: string) => void;
}

/**
 * When a pod that began to run is looked for. Its rate is measured from its start as soon as a sample 10 s after it is there;
 * the kubelet takes that sample 10 to 20 s after the start.
 */
const looks: readonly Milliseconds[] = [seconds(11), seconds(6), seconds(6)];
/** New pods beyond this many wait for the usual scrape of their node. */
const mostWaiting = 2000;

/** Pulls the scrapes of nodes forward on which new pods run, until these are served. */
export class Newcomers {
  readonly #options: NewcomersOptions;
  #waiting = 0;

  constructor(options: NewcomersOptions) {
    this.#options = options;
  }

  /** A pod began to run. */
  add(pod: PodInfo): void {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting++;
    this.#lookAfter(pod, 0);
  }

  #lookAfter(pod: PodInfo, look: number): void {
    const delay = looks[look];
    if (delay === undefined) this.#waiting--;
    else this.#options.clock.after(delay, () => void this.#look(pod, look));
  }

  async #look(pod: PodInfo, look: number): Promise<void> {
    const { find, isServed, reportedBy, locate, pull } = this.#options;
    // The same pod, though its labels may be others by now.
    const current = find(pod.namespace, pod.name);
    if (current?.uid !== pod.uid || isServed(current)) {
      this.#waiting--;
      return;
    }
    const nodeName = reportedBy(pod) ?? (await locate(pod));
    if (nodeName !== undefined) pull(nodeName);
    this.#lookAfter(pod, look + 1);
  }
}

import type { Bytes, EpochMs, MonotonicMs, Nanocores } from './units.ts';

/**
 * A CPU counter (`usageCoreNanoSeconds`, unsigned 64 bit) split so that both halves are exact doubles:
 * the counter is `seconds * 1e9 + nanos`. Counters pass 2^53 after 104 core-days.
 */
export interface CoreTime {
  /** Whole core-seconds. */
  readonly seconds: number;
  /** 0 .. 999,999,999 core-nanoseconds. */
  readonly nanos: number;
}

/** One reading of a node or a container. Absent parts are undefined, never zero. */
export interface Sample {
  /** Start of the container or of the node's root cgroup, as reported. */
  readonly startTime: EpochMs | undefined;
  /** When the CPU counter was read, as reported; `timePrecision` tells how far it was truncated. */
  readonly cpuTime: EpochMs | undefined;
  readonly cpu: CoreTime | undefined;
  /** The kubelet's own rate, `usageNanoCores`. */
  readonly cpuRate: Nanocores | undefined;
  readonly memory: Bytes | undefined;
  /** `usageBytes`; tells a real working set of 0 from one that was not collected. */
  readonly memoryUsage: Bytes | undefined;
}

export interface ContainerSample extends Sample {
  readonly name: string;
}

export interface PodSample {
  readonly namespace: string;
  readonly name: string;
  /** `podRef.uid`; undefined when the source names pods only (`/metrics/resource`). */
  readonly uid: string | undefined;
  readonly containers: readonly ContainerSample[];
}

/** Everything one scrape of one node brought. */
export interface NodeReading {
  readonly source: 'summary' | 'resource';
  /** Granularity to which the source truncated its times: 1000 for the Summary API, 1 for `/metrics/resource`. */
  readonly timePrecision: 1000 | 1;
  readonly node: Sample | undefined;
  readonly pods: readonly PodSample[];
  /** When the request was sent and when its answer was complete, on our monotonic clock. */
  readonly requestedAt: MonotonicMs;
  readonly answeredAt: MonotonicMs;
  /** The same on our wall clock. */
  readonly answeredAtWall: EpochMs;
  /** The kubelet's `Date` header (whole seconds of its clock); undefined when absent or unreadable. */
  readonly date: EpochMs | undefined;
}

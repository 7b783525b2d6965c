import { systemClock, type Clock } from '../model/clock.ts';
import { milliseconds, type Milliseconds } from '../model/units.ts';
import type { BackendAddress } from './api/backend.ts';
import type { ServingNames } from './kubelet/kubelet-fleet.ts';
import type { PopulationOptions } from './node/population.ts';
import type { StatsProvider } from './node/simulated-container.ts';
import { steadyUsage } from './node/usage-plan.ts';

/** Everything that can be said about a simulated cluster before it starts. */
export interface ClusterOptions extends PopulationOptions {
  readonly nodes: number;
  readonly cpusPerNode: number;
  /** Bytes. */
  readonly memoryPerNode: number;
  readonly provider: StatsProvider;
  /** Whether summaries carry pressure stall information, as kubelets from 1.36 on do. */
  readonly psi: boolean;
  readonly servingNames: ServingNames;
  /** How long nodes' pods have been running when the cluster starts. */
  readonly history: Milliseconds;
  /** From a new pod's creation to the start of its first containers. */
  readonly startup: Milliseconds;
  /** Pause between bookmarks of the API server's watches. */
  readonly bookmarkEvery: Milliseconds;
  /** Versions of metrics.k8s.io that have an APIService. */
  readonly metricsVersions: readonly string[];
  /** The aggregated API server to begin with; can be set later. */
  readonly backend: BackendAddress | undefined;
  readonly clock: Clock;
}

export const defaultClusterOptions: ClusterOptions = {
  nodes: 3,
  podsPerNode: 4,
  containersPerPod: 1,
  namespaces: 2,
  staticPodsPerNode: 0,
  sidecarShare: 0,
  initShare: 0,
  churnPerMinute: 0,
  restartsPerMinute: 0,
  seed: 1,
  usage: steadyUsage,
  cpusPerNode: 32,
  memoryPerNode: 128 * 1_073_741_824,
  provider: 'cadvisor',
  psi: true,
  servingNames: 'name-and-address',
  history: milliseconds(86_400_000),
  startup: milliseconds(1000),
  bookmarkEvery: milliseconds(10_000),
  metricsVersions: ['v1', 'v1beta1'],
  backend: undefined,
  clock: systemClock,
};

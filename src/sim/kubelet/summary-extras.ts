import { epochMs, type EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { SimulatedPod } from '../node/simulated-pod.ts';

type Document = Readonly<Record<string, unknown>>;

const gibibyte = 1_073_741_824;

/** `PSIStats` of something that never waited. */
export const calmPressure: Document = {
  full: { total: 0, avg10: 0, avg60: 0, avg300: 0 },
  some: { total: 0, avg10: 0, avg60: 0, avg300: 0 },
};

/** What the full document says of a node beyond CPU, memory and swap. */
export function nodeExtras(now: EpochMs, bootedAt: EpochMs, cpus: number): Document {
  return {
    io: { time: formatTime(now), psi: calmPressure },
    network: network(now, bootedAt, 120_000),
    fs: filesystem(now, 40 * gibibyte),
    runtime: { imageFs: filesystem(now, 12 * gibibyte), containerFs: filesystem(now, gibibyte) },
    rlimit: { time: formatTime(now), maxpid: 4_194_304, curproc: 100 + cpus * 16 },
  };
}

/** What the full document says of a pod beyond CPU, memory and swap. */
export function podExtras(now: EpochMs, startedAt: EpochMs, pod: SimulatedPod): Document {
  const { namespace, name, containers } = pod.birth;
  const minute = epochMs(now - (now % 60_000));
  return {
    io: { time: formatTime(now), psi: calmPressure },
    network: network(now, startedAt, 2_000),
    // The kubelet walks volumes about once a minute.
    volume: [
      { ...filesystem(minute, 12_288), name: 'config' },
      { ...filesystem(minute, 268_435_456), name: 'data', pvcRef: { name: `data-${name}`, namespace } },
    ],
    'ephemeral-storage': filesystem(now, 1_048_576 * containers.length),
    process_stats: { process_count: 2 * containers.length },
  };
}

/** What the full document says of a container beyond CPU, memory and swap. */
export function containerExtras(now: EpochMs): Document {
  return {
    io: { time: formatTime(now), psi: calmPressure },
    rootfs: filesystem(now, 73_728),
    logs: filesystem(now, 24_576),
  };
}

/** `FsStats` on a disk of 100 GiB. */
function filesystem(now: EpochMs, usedBytes: number): Document {
  const capacityBytes = 100 * gibibyte;
  const time = formatTime(now);
  const availableBytes = capacityBytes - 50 * gibibyte;
  return {
    time,
    availableBytes,
    capacityBytes,
    usedBytes,
    inodesFree: 6_200_000,
    inodes: 6_553_600,
    inodesUsed: 353_600,
  };
}

/** `NetworkStats` with one interface whose traffic grows evenly, `rate` in bytes a second. */
function network(now: EpochMs, since: EpochMs, rate: number): Document {
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const eth0 = { name: 'eth0', rxBytes: seconds * rate, rxErrors: 0, txBytes: seconds * (rate >> 1), txErrors: 0 };
  return { time: formatTime(now), ...eth0, interfaces: [eth0] };
}

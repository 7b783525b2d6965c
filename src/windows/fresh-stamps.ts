import type { NodeReading } from '../model/sample.ts';

/** So many containers, sampled by cAdvisor each for itself every 10-20 s, have not all been sampled just now by coincidence. */
const enoughContainers = 3;
/** Without a `Date` header our clock stands for the kubelet's, give or take this. */
const clockSkew = 3_000;
/** Times of the Summary API and of the header are truncated to whole seconds. */
const truncation = 999;

/**
 * Whether the kubelet read the statistics of containers when it was asked (over CRI), not some time before (cAdvisor): all stamps were made between question and
 * answer, by its own clock.
 */
export function readWhenAsked({ pods, requestedAt, answeredAt, answeredAtWall, date }: NodeReading): boolean {
  const now = date ?? answeredAtWall;
  const slack = truncation + (date === undefined ? clockSkew : 0);
  const earliest = now - (answeredAt - requestedAt) - slack;
  let count = 0;
  for (const { containers } of pods)
    for (const { cpuTime } of containers) {
      if (cpuTime === undefined) continue;
      if (cpuTime < earliest || cpuTime > now + slack) return false;
      count++;
    }
  return count >= enoughContainers;
}

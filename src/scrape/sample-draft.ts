import type { ContainerSample, Sample } from '../model/sample.ts';

/** A Sample while a decoder fills it in. */
export type SampleDraft = { -readonly [Field in keyof Sample]: Sample[Field] };

/** A sample of which nothing is known yet. */
export function emptySample(): SampleDraft {
  return {
    startTime: undefined,
    cpuTime: undefined,
    cpu: undefined,
    cpuRate: undefined,
    memory: undefined,
    memoryUsage: undefined,
  };
}

/** The same of a container. Written out: spreading `emptySample()` takes ten times as long, 0.2 us for each container of each scrape. */
export function emptyContainer(): { -readonly [Field in keyof ContainerSample]: ContainerSample[Field] } {
  return {
    name: '',
    startTime: undefined,
    cpuTime: undefined,
    cpu: undefined,
    cpuRate: undefined,
    memory: undefined,
    memoryUsage: undefined,
  };
}

import { LRUCache } from 'lru-cache';
import type { Clock } from '../model/clock.ts';

export interface VerdictCacheOptions<Verdict, Question> {
  readonly size: number;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Asked once for all who wait under one key. What it rejects with reaches them all and is not remembered. */
  readonly ask: (question: Question) => Promise<Verdict>;
  /** Milliseconds for which a verdict is remembered. To lru-cache 0 means for ever. */
  readonly lifetime: (verdict: Verdict) => number;
}

/** A bounded cache of an API server's verdicts, each with a lifetime of its own. */
export function createVerdictCache<Verdict extends object, Question extends object>({
  size,
  clock,
  ask,
  lifetime,
}: VerdictCacheOptions<Verdict, Question>): LRUCache<string, Verdict, Question> {
  return new LRUCache<string, Verdict, Question>({
    max: size,
    ttl: 1,
    ttlResolution: 0,
    // lru-cache takes a start of 0 for "no expiry".
    perf: { now: () => clock.monotonic() + 1 },
    // An entry pushed out while it is being asked for must still answer those who wait.
    ignoreFetchAbort: true,
    fetchMethod: async (_key, _stale, { context, options: entry }) => {
      const verdict = await ask(context);
      entry.ttl = lifetime(verdict);
      return verdict;
    },
  });
}

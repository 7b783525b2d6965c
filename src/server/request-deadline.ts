import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { milliseconds, type Milliseconds } from '../model/units.ts';
import { parseDuration, toMilliseconds } from '../options/duration.ts';
import { badRequest } from '../wire/status.ts';
import type { RequestInfo } from './request-info.ts';
import { firstValue } from './request-target.ts';

/** Kubernetes writes this one Status without `kind` and `apiVersion`. */
export const timeoutStatus = `${JSON.stringify({
  metadata: {},
  status: 'Failure',
  message: 'Timeout: request did not complete within the allotted timeout',
  reason: 'Timeout',
  details: {},
  code: 504,
})}\n`;

/**
 * How long a request may take: what its `timeout` parameter says, at most `maximum` (`WithRequestDeadline` of k8s.io/apiserver).
 * @throws {StatusError} 400 when the parameter is no Go duration.
 */
export function allottedTime(info: RequestInfo, maximum: Milliseconds): Milliseconds {
  const wish = firstValue(info.query, 'timeout') ?? '';
  if (wish === '' || info.verb === 'watch' || info.verb === 'proxy') return maximum;
  try {
    const asked = toMilliseconds(parseDuration(wish));
    return asked > 0 ? milliseconds(Math.min(asked, maximum)) : maximum;
  } catch (error) {
    throw badRequest(`invalid timeout specified in the request URL - ${messageChain(error)}`);
  }
}

/** Runs `work` for at most `time`; false when it was not done by then (it goes on, unheeded). Rejects as `work` does. */
export async function finishesWithin(clock: Clock, time: Milliseconds, work: () => Promise<void>): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const timer = clock.after(time, () => resolve(false));
    work()
      .then(() => resolve(true), reject)
      .finally(() => timer.cancel());
  });
}

import type { Clock } from '../model/clock.ts';
import { seconds } from '../model/units.ts';
import { apiGroup, apiVersions } from '../metrics-api/objects.ts';
import type { RequestInfo } from './request-info.ts';

/** kube-aggregator gives discovery 5 s in all. */
const patience = seconds(2);

const paths: ReadonlySet<string> = new Set(
  ['/apis', `/apis/${apiGroup}`, ...apiVersions.map((version) => `/apis/${apiGroup}/${version}`), '/version'].flatMap(
    (path) => [path, `${path}/`],
  ),
);

/**
 * Whether a request reads discovery, OpenAPI or the version: constants that hold no secret, but without which a whole cluster's discovery suffers. They are
 * served to anybody while nobody can be asked who may read them.
 */
export function isDiscovery({ method, path, isResourceRequest }: RequestInfo): boolean {
  return method === 'GET' && !isResourceRequest && (paths.has(path) || path.startsWith('/openapi/'));
}

/** The answer to a question, or undefined when none came in the time that discovery can wait; a late one is not heeded. Rejects as the question does. */
export async function soonEnough<Answer>(question: Promise<Answer>, clock: Clock): Promise<Answer | undefined> {
  return await new Promise((resolve, reject) => {
    const timer = clock.after(patience, () => resolve(undefined));
    question.then(resolve, reject).finally(() => timer.cancel());
  });
}

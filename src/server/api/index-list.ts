import { apiGroup, apiVersions } from '../../metrics-api/objects.ts';
import type { Answer } from '../../wire/body.ts';
import { formatJson } from '../../wire/json-text.ts';

const ownPaths = ['/apis', `/apis/${apiGroup}`, '/metrics', '/openapi/v2', '/openapi/v3', '/openapi/v3/', '/version'];
const groupVersionPaths = apiVersions.map((version) => `/apis/${apiGroup}/${version}`);

/** `/`: the paths there are (`metav1.RootPaths`), always indented. `others` are those of health checks. */
export function serveIndex(others: readonly string[]): Answer {
  return pathList(200, [...ownPaths, ...groupVersionPaths, ...others]);
}

/**
 * An unknown path outside the API group. The body names the paths that every resource metrics server has;
 * v1, which few clients know yet, is left to discovery, so that the text is what it has always been.
 */
export function unknownPath(others: readonly string[]): Answer {
  return pathList(404, [...ownPaths, `/apis/${apiGroup}/v1beta1`, ...others]);
}

function pathList(status: number, paths: readonly string[]): Answer {
  const body = Buffer.from(formatJson({ paths: [...new Set(paths)].sort() }, 'pretty'));
  return { status, headers: { 'content-type': 'application/json' }, body };
}

import { parseFieldSelector, type FieldSelector } from '../kube/selectors/field-selector.ts';
import { parseLabelSelector, type LabelSelector } from '../kube/selectors/label-selector.ts';
import { badRequest } from '../wire/status.ts';

/** Every requirement and every value may have to be held against each of a hundred thousand pods, so a selector has fewer than fit into a URL. */
const maxRequirements = 100;
/** In all sets of a selector together, repeats not counted. */
const maxValues = 1000;

/**
 * Reads `labelSelector=` of a request.
 * @throws {SelectorError} when it is malformed.
 * @throws {StatusError} 400 when it is too large; Kubernetes has no limit but the URL's.
 */
export function readLabelSelector(text: string): LabelSelector {
  const selector = parseLabelSelector(text);
  const { requirements } = selector;
  requireAtMost(maxRequirements, requirements.length, 'labelSelector', 'requirements');
  const values = requirements.reduce((count, requirement) => count + requirement.values.length, 0);
  requireAtMost(maxValues, values, 'labelSelector', 'values');
  return selector;
}

/** Reads `fieldSelector=` of a request. Throws as `readLabelSelector` does. */
export function readFieldSelector(text: string): FieldSelector {
  const selector = parseFieldSelector(text);
  requireAtMost(maxRequirements, selector.terms.length, 'fieldSelector', 'requirements');
  return selector;
}

function requireAtMost(limit: number, count: number, parameter: string, what: string): void {
  if (count > limit) throw badRequest(`${parameter} has ${count} ${what}, the limit is ${limit}`);
}

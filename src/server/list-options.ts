import type { FieldSelector } from '../kube/selectors/field-selector.ts';
import type { LabelSelector } from '../kube/selectors/label-selector.ts';
import { quote } from '../model/quote.ts';
import { badRequest, invalidListOptions, type StatusCause } from '../wire/status.ts';
import { firstValue, isTrue, type Query } from './request-target.ts';
import { readFieldSelector, readLabelSelector } from './selectors.ts';

/** The query of a list or watch (`metav1.ListOptions`); selectors that are absent match everything. */
export interface ListOptions {
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  readonly watch: boolean;
  /** 0 or less: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly sendInitialEvents: boolean | undefined;
}

/**
 * Decodes the parameters in the order in which Kubernetes does, which decides which of two faults is told.
 * @throws {StatusError} 400 for a malformed number or a selector that is too large.
 * @throws {SelectorError} for a malformed selector.
 */
export function decodeListOptions(query: Query): ListOptions {
  parseInt64(firstValue(query, 'timeoutSeconds') ?? '0');
  const limit = parseInt64(firstValue(query, 'limit') ?? '0');
  return {
    labelSelector: readLabelSelector(firstValue(query, 'labelSelector') ?? ''),
    fieldSelector: readFieldSelector(firstValue(query, 'fieldSelector') ?? ''),
    watch: isTrue(firstValue(query, 'watch')),
    limit,
    continueToken: firstValue(query, 'continue') ?? '',
    resourceVersion: firstValue(query, 'resourceVersion') ?? '',
    resourceVersionMatch: firstValue(query, 'resourceVersionMatch') ?? '',
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(firstValue(query, 'sendInitialEvents')) : undefined,
  };
}

/**
 * Refuses combinations that Kubernetes refuses (`ValidateListOptions`).
 * @throws {StatusError} 422 with a cause for each.
 */
export function validateListOptions(options: ListOptions): void {
  const causes = options.watch ? watchCauses(options) : listCauses(options);
  if (causes.length > 0) throw invalidListOptions(causes);
}

const exact = 'Exact';
const notOlderThan = 'NotOlderThan';
const matchField = 'resourceVersionMatch';

function listCauses(options: ListOptions): StatusCause[] {
  const causes: StatusCause[] = [];
  const { resourceVersionMatch: match, resourceVersion } = options;
  if (match !== '') {
    if (resourceVersion === '')
      causes.push(forbidden(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    if (options.continueToken !== '')
      causes.push(forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== exact && match !== notOlderThan)
      causes.push(unsupported(matchField, match, [exact, notOlderThan, '']));
    if (match === exact && resourceVersion === '0')
      causes.push(forbidden(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (options.sendInitialEvents !== undefined)
    causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  return causes;
}

function watchCauses(options: ListOptions): StatusCause[] {
  const causes: StatusCause[] = [];
  const match = options.resourceVersionMatch;
  if (options.sendInitialEvents !== undefined && match !== notOlderThan)
    causes.push(forbidden(matchField, `sendInitialEvents requires setting resourceVersionMatch to ${notOlderThan}`));
  if (match === '') return causes;
  if (options.sendInitialEvents === undefined)
    causes.push(
      forbidden(matchField, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    );
  if (match !== notOlderThan) causes.push(unsupported(matchField, match, [notOlderThan]));
  if (options.continueToken !== '')
    causes.push(forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
  return causes;
}

function forbidden(field: string, detail: string): StatusCause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`, field };
}

function unsupported(field: string, value: string, supported: readonly string[]): StatusCause {
  const message = `Unsupported value: ${quote(value)}: supported values: ${supported.map(quote).join(', ')}`;
  return { reason: 'FieldValueNotSupported', message, field };
}

/** Go's `strconv.ParseInt(text, 10, 64)`; values beyond 2^53 are as good as the nearest double here. */
function parseInt64(text: string): number {
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  const digits = text.replace(/^[-+]?0*/, '');
  const magnitude = digits === '' || digits.length > 19 ? undefined : BigInt(digits);
  const bound = text.startsWith('-') ? 2n ** 63n : 2n ** 63n - 1n;
  if (digits.length > 19 || (magnitude !== undefined && magnitude > bound))
    throw badRequest(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  const value = Number(magnitude ?? 0n);
  return text.startsWith('-') ? -value : value;
}

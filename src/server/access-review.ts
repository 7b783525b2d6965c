import type { LabelOperator } from '../kube/selectors/label-selector.ts';
import type { AccessAttributes } from './access-attributes.ts';
import { readFieldSelector, readLabelSelector } from './selectors.ts';
import type { UserInfo } from './user.ts';

/** One condition of a selector as `authorization.k8s.io/v1` words it. */
interface SelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

interface SelectorAttributes {
  readonly requirements: readonly SelectorRequirement[];
}

/** `spec` of a SubjectAccessReview (`authorization.k8s.io/v1`). Absent parts are left out, as Kubernetes leaves them out. */
export interface AccessReviewSpec {
  readonly resourceAttributes?: {
    readonly namespace?: string;
    readonly verb: string;
    readonly group: string;
    readonly version: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly name?: string;
    readonly fieldSelector?: SelectorAttributes;
    readonly labelSelector?: SelectorAttributes;
  };
  readonly nonResourceAttributes?: { readonly path: string; readonly verb: string };
  readonly user: string;
  readonly groups?: readonly string[];
  readonly extra?: UserInfo['extra'];
  readonly uid?: string;
}

/** May `user` do what `info` asks for? */
export function accessReviewSpec(user: UserInfo, info: AccessAttributes): AccessReviewSpec {
  return {
    ...(info.isResourceRequest
      ? { resourceAttributes: resourceAttributes(info) }
      : { nonResourceAttributes: { path: info.path, verb: info.verb } }),
    user: user.name,
    ...(user.groups.length === 0 ? {} : { groups: user.groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    ...(user.uid === '' ? {} : { uid: user.uid }),
  };
}

/** Bytes (UTF-16 units, near enough) of what the client chose itself: such reviews are cached only while they are short. */
export function clientChosenLength(user: UserInfo, info: AccessAttributes): number {
  let length = user.name.length + user.uid.length;
  for (const group of user.groups) length += group.length;
  for (const key of Object.keys(user.extra)) {
    length += key.length;
    for (const value of user.extra[key] ?? []) length += value.length;
  }
  if (!info.isResourceRequest) return length + info.path.length + info.verb.length;
  const { namespace, resource, subresource, name, apiGroup, apiVersion, labelSelector, fieldSelector } = info;
  for (const text of [namespace, resource, subresource, name, apiGroup, apiVersion, labelSelector, fieldSelector]) {
    length += text.length;
  }
  return length;
}

function resourceAttributes(info: AccessAttributes): NonNullable<AccessReviewSpec['resourceAttributes']> {
  const fieldSelector = fieldRequirements(info.fieldSelector);
  const labelSelector = labelRequirements(info.labelSelector);
  return {
    ...(info.namespace === '' ? {} : { namespace: info.namespace }),
    verb: info.verb,
    group: info.apiGroup,
    version: info.apiVersion,
    resource: info.resource,
    ...(info.subresource === '' ? {} : { subresource: info.subresource }),
    ...(info.name === '' ? {} : { name: info.name }),
    ...(fieldSelector.length === 0 ? {} : { fieldSelector: { requirements: fieldSelector } }),
    ...(labelSelector.length === 0 ? {} : { labelSelector: { requirements: labelSelector } }),
  };
}

/** A selector that cannot be read is not sent: leaving one out only asks for more. */
function fieldRequirements(selector: string): SelectorRequirement[] {
  if (selector === '') return [];
  try {
    return readFieldSelector(selector).terms.map(({ field, operator, value }) => ({
      key: field,
      operator: operator === '=' ? 'In' : 'NotIn',
      values: [value],
    }));
  } catch {
    return [];
  }
}

const labelOperators: Readonly<Record<LabelOperator, SelectorRequirement['operator'] | undefined>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
  gt: undefined,
  lt: undefined,
};

function labelRequirements(selector: string): SelectorRequirement[] {
  if (selector === '') return [];
  try {
    return readLabelSelector(selector).requirements.flatMap(({ key, operator, values }) => {
      const reviewed = labelOperators[operator];
      if (reviewed === undefined) return [];
      return [values.length === 0 ? { key, operator: reviewed } : { key, operator: reviewed, values }];
    });
  } catch {
    return [];
  }
}

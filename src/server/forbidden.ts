import { quote } from '../model/quote.ts';
import { StatusError } from '../wire/status.ts';
import type { AccessAttributes } from './access-attributes.ts';
import type { UserInfo } from './user.ts';

/** The refusal of an unauthorized request, word for word as `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters` has it. */
export function forbidden(user: UserInfo, info: AccessAttributes, reason: string): StatusError {
  const suffix = reason === '' ? '' : `: ${reason}`;
  if (!info.isResourceRequest) {
    const message = `forbidden: User ${quote(user.name)} cannot ${info.verb} path ${quote(info.path)}`;
    return new StatusError('forbidden', escapeHtml(message) + suffix, {});
  }
  const resource = info.subresource === '' ? info.resource : `${info.resource}/${info.subresource}`;
  const where = info.namespace === '' ? 'at the cluster scope' : `in the namespace ${quote(info.namespace)}`;
  const what = `cannot ${info.verb} resource ${quote(resource)} in API group ${quote(info.apiGroup)} ${where}`;
  const qualified = info.apiGroup === '' ? info.resource : `${info.resource}.${info.apiGroup}`;
  const object = info.name === '' ? qualified : `${qualified} ${quote(info.name)}`;
  return new StatusError(
    'forbidden',
    `${object} is forbidden: ${escapeHtml(`User ${quote(user.name)} ${what}`)}${suffix}`,
    {
      ...(info.name === '' ? {} : { name: info.name }),
      ...(info.apiGroup === '' ? {} : { group: info.apiGroup }),
      kind: info.resource,
    },
  );
}

/** `&`, `<` and `>` only, as Kubernetes does with the texts it echoes. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

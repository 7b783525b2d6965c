/** A service account by its place in the cluster. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

const prefix = 'system:serviceaccount:';
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The service account whose user name this is (`k8s.io/apiserver/pkg/authentication/serviceaccount.SplitUsername`); undefined for any other user. */
export function splitServiceAccount(userName: string): ServiceAccount | undefined {
  if (!userName.startsWith(prefix)) return undefined;
  const [namespace = '', name = '', ...rest] = userName.slice(prefix.length).split(':');
  if (rest.length > 0 || namespace.length > 63 || name.length > 253) return undefined;
  return label.test(namespace) && subdomain.test(name) ? { namespace, name } : undefined;
}

/** The groups that every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}

/** Who sent a request (`k8s.io/apiserver/pkg/authentication/user.Info`). */
export interface UserInfo {
  readonly name: string;
  /** Empty when unknown. */
  readonly uid: string;
  readonly groups: readonly string[];
  /** A null-prototype object: its keys come from outside. */
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Group whose members may do everything. */
export const mastersGroup = 'system:masters';
const authenticatedGroup = 'system:authenticated';

/** A request without credentials. */
export const anonymous: UserInfo = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: Object.create(null) as Record<string, never>,
};

/** The user as a member of `system:authenticated`, to which Kubernetes binds the right of discovery. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.name === anonymous.name || user.groups.includes(authenticatedGroup)) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}

/** A map for keys from outside. */
export function extraMap(): Record<string, string[]> {
  return Object.create(null) as Record<string, string[]>;
}

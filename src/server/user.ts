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
export const authenticatedGroup = 'system:authenticated';
export const unauthenticatedGroup = 'system:unauthenticated';

/** A request without credentials. */
export const anonymous: UserInfo = {
  name: 'system:anonymous',
  uid: '',
  groups: [unauthenticatedGroup],
  extra: Object.create(null) as Record<string, never>,
};

/** The user as a member of `system:authenticated`, to which Kubernetes binds the right of discovery. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  return user.name === anonymous.name ? user : withGroup(user, authenticatedGroup);
}

export function withGroup(user: UserInfo, group: string): UserInfo {
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] };
}

/** A map for keys from outside. */
export function extraMap(): Record<string, string[]> {
  return Object.create(null) as Record<string, string[]>;
}

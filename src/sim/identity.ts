/** Who somebody is, as Kubernetes' `user.Info`. */
export interface Identity {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: Identity = { username: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The identity kubetally runs under in the simulated cluster. */
export const serverAccount = 'system:serviceaccount:kube-system:kubetally';

/** People of the simulated cluster and the groups their certificates name. */
export const people: Readonly<Record<string, readonly string[]>> = {
  admin: ['system:masters'],
  viewer: [],
  nobody: [],
};

/** An authenticated identity: service accounts get their groups, everybody `system:authenticated`. */
export function identityOf(username: string, groups: readonly string[] = []): Identity {
  const [, kind, namespace] = username.split(':');
  const account = kind === 'serviceaccount' ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`] : [];
  return { username, groups: [...new Set([...groups, ...account, 'system:authenticated'])] };
}

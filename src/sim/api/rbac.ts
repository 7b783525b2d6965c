import type { AccessAttributes } from '../../server/access-attributes.ts';
import { serverAccount, type Identity } from '../identity.ts';

/** What somebody wants to do. */
export type Attributes = Omit<AccessAttributes, 'apiVersion' | 'labelSelector' | 'fieldSelector'>;

/** The attributes of a request for a resource; what is left out is the empty string. */
export function resourceAttributes(given: Partial<Attributes> & Pick<Attributes, 'verb' | 'resource'>): Attributes {
  return { isResourceRequest: true, path: '', apiGroup: '', subresource: '', namespace: '', name: '', ...given };
}

/** A grant to users and groups. Resources are `group/resource`, with the core group's name empty; paths may end in `*`. */
export interface Grant {
  readonly role: string;
  readonly users?: readonly string[];
  readonly groups?: readonly string[];
  readonly verbs: readonly string[];
  readonly resources?: readonly string[];
  readonly namespace?: string;
  readonly names?: readonly string[];
  readonly paths?: readonly string[];
}

export interface Verdict {
  readonly allowed: boolean;
  readonly reason: string;
}

const read = ['get', 'list', 'watch'];
const publicPaths = ['/healthz', '/livez', '/readyz', '/version', '/version/'];
const discoveryPaths = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*', ...publicPaths];

/** The roles that every simulated cluster begins with. */
const defaultGrants: readonly Grant[] = [
  {
    role: 'system:public-info-viewer',
    groups: ['system:authenticated', 'system:unauthenticated'],
    verbs: ['get'],
    paths: publicPaths,
  },
  { role: 'system:discovery', groups: ['system:authenticated'], verbs: ['get'], paths: discoveryPaths },
  {
    role: 'system:basic-user',
    groups: ['system:authenticated'],
    verbs: ['create'],
    resources: [
      'authorization.k8s.io/selfsubjectaccessreviews',
      'authorization.k8s.io/selfsubjectrulesreviews',
      'authentication.k8s.io/selfsubjectreviews',
    ],
  },
  {
    role: 'system:service-account-issuer-discovery',
    groups: ['system:serviceaccounts'],
    verbs: ['get'],
    paths: ['/openid/v1/jwks', '/.well-known/openid-configuration'],
  },
  {
    role: 'system:monitoring',
    groups: ['system:monitoring'],
    verbs: ['get'],
    paths: ['/metrics', '/healthz/*', '/livez/*', '/readyz/*'],
  },
  {
    role: 'view',
    users: ['viewer'],
    verbs: ['get', 'list'],
    resources: ['metrics.k8s.io/pods', 'metrics.k8s.io/nodes', '/nodes', '/pods', '/namespaces'],
  },
  {
    role: 'system:kubetally',
    users: [serverAccount],
    verbs: read,
    resources: ['/nodes', '/pods', '/namespaces'],
  },
  {
    role: 'system:kubetally',
    users: [serverAccount],
    verbs: ['get'],
    resources: ['/nodes/stats', '/nodes/metrics'],
  },
  {
    role: 'system:auth-delegator',
    users: [serverAccount],
    verbs: ['create'],
    resources: ['authentication.k8s.io/tokenreviews', 'authorization.k8s.io/subjectaccessreviews'],
  },
  {
    role: 'extension-apiserver-authentication-reader',
    users: [serverAccount],
    verbs: read,
    resources: ['/configmaps'],
    namespace: 'kube-system',
    names: ['extension-apiserver-authentication'],
  },
];

/** Simple role-based access control: `system:masters` may do everything, others what a grant allows. */
export class Authorizer {
  readonly #grants: Grant[];

  constructor(grants: readonly Grant[] = defaultGrants) {
    this.#grants = [...grants];
  }

  /** Allows something more from now on. */
  grant(grant: Grant): void {
    this.#grants.push(grant);
  }

  /** Takes every grant of a role away. */
  revoke(role: string): void {
    for (let i = this.#grants.length - 1; i >= 0; i--) if (this.#grants[i]?.role === role) this.#grants.splice(i, 1);
  }

  authorize(identity: Identity, attributes: Attributes): Verdict {
    if (identity.groups.includes('system:masters')) return { allowed: true, reason: '' };
    const grant = this.#grants.find((candidate) => holds(candidate, identity) && covers(candidate, attributes));
    if (grant === undefined) return { allowed: false, reason: '' };
    return { allowed: true, reason: `RBAC: allowed by ClusterRole "${grant.role}" to User "${identity.username}"` };
  }
}

function holds(grant: Grant, { username, groups }: Identity): boolean {
  return grant.users?.includes(username) === true || grant.groups?.some((group) => groups.includes(group)) === true;
}

function covers(grant: Grant, wanted: Attributes): boolean {
  if (!matches(grant.verbs, wanted.verb)) return false;
  const { isResourceRequest, path, apiGroup, resource, subresource, namespace, name } = wanted;
  if (!isResourceRequest) return grant.paths?.some((pattern) => pathMatches(pattern, path)) === true;
  const suffix = subresource === '' ? '' : `/${subresource}`;
  if (!matches(grant.resources ?? [], `${apiGroup}/${resource}${suffix}`)) return false;
  if (grant.namespace !== undefined && grant.namespace !== namespace) return false;
  return grant.names === undefined || grant.names.includes(name);
}

function matches(allowed: readonly string[], wanted: string): boolean {
  return allowed.includes(wanted) || allowed.includes('*');
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

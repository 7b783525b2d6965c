import { identityOf, type Identity } from '../../src/sim/identity.ts';
import type { KubeletAccess } from '../../src/sim/kubelet/kubelet.ts';
import type { Attributes } from '../../src/sim/api/rbac.ts';
import type { HttpsClient } from './https-client.ts';

interface TokenReview {
  readonly status: {
    readonly authenticated?: boolean;
    readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  };
}

interface AccessReview {
  readonly status: { readonly allowed: boolean };
}

const subresources = ['stats', 'metrics', 'proxy'];
/** Milliseconds that a token's verdicts hold, as in a kubelet. */
const remembered = 30_000;

/**
 * A kubelet's webhook authentication and authorization: a TokenReview, and a SubjectAccessReview for each subresource of nodes.
 * Client certificates are verified by the kubelet itself; of these only members of `system:masters` may do anything.
 */
export class KubeletReviews implements KubeletAccess {
  readonly #api: HttpsClient;
  readonly #tokens = new Map<string, { readonly until: number; readonly identity: Promise<Identity | undefined> }>();
  readonly #allowed = new Map<string, ReadonlySet<string>>();

  constructor(api: HttpsClient) {
    this.#api = api;
  }

  async authenticate(token: string): Promise<Identity | undefined> {
    const known = this.#tokens.get(token);
    if (known !== undefined && known.until > performance.now()) return await known.identity;
    const identity = this.#review(token).catch(() => undefined);
    this.#tokens.set(token, { until: performance.now() + remembered, identity });
    return await identity;
  }

  authorize({ username, groups }: Identity, attributes: Attributes): boolean {
    if (groups.includes('system:masters')) return true;
    return attributes.verb === 'get' && this.#allowed.get(username)?.has(attributes.subresource) === true;
  }

  async #review(token: string): Promise<Identity | undefined> {
    const { status } = await this.#create<TokenReview>('authentication', 'TokenReview', { token });
    const username = status.user?.username;
    if (status.authenticated !== true || username === undefined) return undefined;
    const identity = identityOf(username, status.user?.groups);
    const allowed = new Set<string>();
    for (const subresource of subresources) {
      const resourceAttributes = { verb: 'get', version: 'v1', resource: 'nodes', subresource };
      const spec = { user: username, groups: identity.groups, resourceAttributes };
      const review = await this.#create<AccessReview>('authorization', 'SubjectAccessReview', spec);
      if (review.status.allowed) allowed.add(subresource);
    }
    this.#allowed.set(username, allowed);
    return identity;
  }

  async #create<Review>(group: string, kind: string, spec: unknown): Promise<Review> {
    const body = { apiVersion: `${group}.k8s.io/v1`, kind, spec };
    return await this.#api.read<Review>(`/apis/${group}.k8s.io/v1/${kind.toLowerCase()}s`, { method: 'POST', body });
  }
}

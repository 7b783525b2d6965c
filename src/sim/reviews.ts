import { ApiFailure } from './api-status.ts';
import type { Identity } from './identity.ts';
import type { Attributes, Authorizer } from './rbac.ts';
import { issuer, type TokenIssuer } from './token-issuer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** How often each review was asked for. */
export interface ReviewCounts {
  readonly tokens: number;
  readonly access: number;
}

/** The API server's answers about who somebody is and what they may do: resources that can only be created. */
export class Reviews {
  readonly #tokens: TokenIssuer;
  readonly #authorizer: Authorizer;
  #counts: ReviewCounts = { tokens: 0, access: 0 };

  constructor(tokens: TokenIssuer, authorizer: Authorizer) {
    this.#tokens = tokens;
    this.#authorizer = authorizer;
  }

  get counts(): ReviewCounts {
    return this.#counts;
  }

  /**
   * Answers the review of this plural, or gives undefined when there is no such review.
   * @throws ApiFailure 400 when the body is no review
   */
  async create(plural: string, caller: Identity, body: Fields): Promise<Fields | undefined> {
    const spec = fields(body['spec']);
    switch (plural) {
      case 'tokenreviews':
        return await this.#tokenReview(text(spec['token']));
      case 'subjectaccessreviews':
        return this.#accessReview('SubjectAccessReview', subject(spec), spec);
      case 'selfsubjectaccessreviews':
        return this.#accessReview('SelfSubjectAccessReview', caller, spec);
      case 'selfsubjectreviews':
        return document('SelfSubjectReview', 'authentication.k8s.io/v1', undefined, { userInfo: caller });
      default:
        return undefined;
    }
  }

  async #tokenReview(token: string): Promise<Fields> {
    this.#counts = { ...this.#counts, tokens: this.#counts.tokens + 1 };
    const user = await this.#tokens.verify(token);
    const status =
      user === undefined
        ? { user: {}, error: '[invalid bearer token, token lookup failed]' }
        : { authenticated: true, user, audiences: [issuer] };
    return document('TokenReview', 'authentication.k8s.io/v1', { token }, status);
  }

  #accessReview(kind: string, identity: Identity, spec: Fields): Fields {
    this.#counts = { ...this.#counts, access: this.#counts.access + 1 };
    const { allowed, reason } = this.#authorizer.authorize(identity, wanted(spec));
    const status = reason === '' ? { allowed } : { allowed, reason };
    return document(kind, 'authorization.k8s.io/v1', spec, status);
  }
}

function document(kind: string, apiVersion: string, spec: Fields | undefined, status: Fields): Fields {
  return { kind, apiVersion, metadata: { creationTimestamp: null }, ...(spec === undefined ? {} : { spec }), status };
}

function subject(spec: Fields): Identity {
  const groups = Array.isArray(spec['groups']) ? spec['groups'].map(text) : [];
  return { username: text(spec['user']), groups };
}

function wanted(spec: Fields): Attributes {
  const paths = fields(spec['nonResourceAttributes']);
  if (Object.keys(paths).length > 0) return { verb: text(paths['verb']), path: text(paths['path']) };
  const resource = fields(spec['resourceAttributes']);
  if (Object.keys(resource).length === 0)
    throw new ApiFailure(
      422,
      'Invalid',
      'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
  const optional = (name: 'subresource' | 'namespace' | 'name'): Fields => {
    const value = text(resource[name]);
    return value === '' ? {} : { [name]: value };
  };
  return {
    verb: text(resource['verb']),
    group: text(resource['group']),
    resource: text(resource['resource']),
    ...optional('subresource'),
    ...optional('namespace'),
    ...optional('name'),
  };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

import { asRecord } from '../../inventory/metadata.ts';
import { textAt, textsAt } from '../../server/review-fields.ts';
import { StatusError } from '../../wire/status.ts';
import type { Identity } from '../identity.ts';
import type { Attributes, Authorizer } from './rbac.ts';
import { issuer, type TokenIssuer } from '../token-issuer.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The API server's answers about who somebody is and what they may do: resources that can only be created. */
export class Reviews {
  readonly #tokens: TokenIssuer;
  readonly #authorizer: Authorizer;

  constructor(tokens: TokenIssuer, authorizer: Authorizer) {
    this.#tokens = tokens;
    this.#authorizer = authorizer;
  }

  /**
   * Answers the review of this plural.
   * @throws StatusError 422 when the body is no review
   */
  async create(plural: string, caller: Identity, body: Fields): Promise<Fields> {
    const spec = asRecord(body['spec']);
    switch (plural) {
      case 'tokenreviews':
        return await this.#tokenReview(textAt(spec, 'token'));
      case 'subjectaccessreviews':
        return this.#accessReview('SubjectAccessReview', subject(spec), spec);
      case 'selfsubjectaccessreviews':
        return this.#accessReview('SelfSubjectAccessReview', caller, spec);
      default:
        return document('SelfSubjectReview', 'authentication.k8s.io/v1', undefined, { userInfo: caller });
    }
  }

  async #tokenReview(token: string): Promise<Fields> {
    const user = await this.#tokens.verify(token);
    const status =
      user === undefined
        ? { user: {}, error: '[invalid bearer token, token lookup failed]' }
        : { authenticated: true, user, audiences: [issuer] };
    return document('TokenReview', 'authentication.k8s.io/v1', { token }, status);
  }

  #accessReview(kind: string, identity: Identity, spec: Fields): Fields {
    const { allowed, reason } = this.#authorizer.authorize(identity, wanted(spec));
    const status = reason === '' ? { allowed } : { allowed, reason };
    return document(kind, 'authorization.k8s.io/v1', spec, status);
  }
}

function document(kind: string, apiVersion: string, spec: Fields | undefined, status: Fields): Fields {
  return { kind, apiVersion, metadata: { creationTimestamp: null }, ...(spec === undefined ? {} : { spec }), status };
}

function subject(spec: Fields): Identity {
  return { username: textAt(spec, 'user'), groups: textsAt(spec, 'groups') };
}

function wanted(spec: Fields): Attributes {
  const path = asRecord(spec['nonResourceAttributes']);
  const resource = asRecord(spec['resourceAttributes']);
  const isResourceRequest = Object.keys(path).length === 0;
  if (isResourceRequest && Object.keys(resource).length === 0)
    throw new StatusError('invalid', 'exactly one of nonResourceAttributes or resourceAttributes must be specified');
  return {
    isResourceRequest,
    path: textAt(path, 'path'),
    verb: textAt(isResourceRequest ? resource : path, 'verb'),
    apiGroup: textAt(resource, 'group'),
    resource: textAt(resource, 'resource'),
    subresource: textAt(resource, 'subresource'),
    namespace: textAt(resource, 'namespace'),
    name: textAt(resource, 'name'),
  };
}

import { KubetallyError } from '../model/errors.ts';

/**
 * Why a credential was refused; the client learns nothing but 401.
 * - `certificate`: the client certificate is not trusted, or its name is not allowed
 * - `token`: the token is malformed, expired, not yet valid, forged, or was refused by TokenReview
 * - `unavailable`: TokenReview could not be asked
 * - `overloaded`: too many tokens are being judged already
 */
export class AuthenticationError extends KubetallyError<'certificate' | 'token' | 'unavailable' | 'overloaded'> {}

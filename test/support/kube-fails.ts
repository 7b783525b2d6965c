import assert from 'node:assert/strict';
import { KubeError, type KubeErrorCode } from '../../src/kube/kube-error.ts';

/** A check for `assert.rejects`. */
export function fails(code: KubeErrorCode, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof KubeError, String(error));
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  };
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageChain } from '../../src/model/errors.ts';

describe('the messages of an error and its causes', () => {
  it('are joined, each said once, whatever was thrown', () => {
    const cause = new Error('b', { cause: new Error('c') });
    assert.equal(messageChain(new Error('a', { cause })), 'a: b: c');
    assert.equal(messageChain(new Error('a: c', { cause: new Error('c') })), 'a: c');
    assert.equal(messageChain('text'), 'text');
    assert.equal(messageChain(Object.create(null)), 'unknown error');
  });

  it("leave out advice about Node's own flags", () => {
    const said =
      'unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --use-system-ca';
    assert.equal(messageChain(new Error(said)), 'unable to verify the first certificate');
  });
});

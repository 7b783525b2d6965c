import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { flagsDocument, renderFlagsDocument } from '../../hack/gen-flags-doc.ts';

it('the flag reference is the one that hack/gen-flags-doc.ts makes', () =>
  assert.equal(readFileSync(flagsDocument, 'utf8'), renderFlagsDocument()));

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyBuffers } from '../../src/scrape/body-buffers.ts';

describe('Buffers for bodies', () => {
  it('are used again, but no more than four are kept', () => {
    const buffers = new BodyBuffers();
    const used = Array.from({ length: 6 }, () => buffers.take());
    for (const buffer of used) buffers.giveBack(buffer);
    const again = Array.from({ length: 6 }, () => buffers.take());
    assert.equal(again.filter((buffer) => used.includes(buffer)).length, 4);
  });

  it('are let go when they grew beyond what is kept', () => {
    const buffers = new BodyBuffers(100_000);
    const buffer = buffers.take();
    buffer.append(Buffer.alloc(100_001));
    buffers.giveBack(buffer);
    assert.notEqual(buffers.take(), buffer);
  });

  it('grow with the body, and hold nothing of it later', () => {
    const buffer = new BodyBuffers().take();
    const parts = [Buffer.alloc(50_000, 'a'), Buffer.alloc(50_000, 'b'), Buffer.alloc(200_000, 'c')];
    for (const part of parts) buffer.append(part);
    assert.deepEqual(buffer.content, Buffer.concat(parts));
    buffer.clear();
    assert.equal(buffer.content.length, 0);
  });
});

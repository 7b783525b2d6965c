import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { PieceStream } from '../../../src/server/api/piece-stream.ts';
import { turn } from '../../../src/wire/body.ts';

async function slicesOf(stream: PieceStream): Promise<Buffer[]> {
  const slices: Buffer[] = [];
  stream.on('data', (slice: Buffer) => slices.push(slice));
  await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  return slices;
}

describe('a body in slices', () => {
  it('is the same bytes as in pieces, no more than asked at a time', async () => {
    const piece = fc.oneof(
      { arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)), weight: 3 },
      { arbitrary: fc.constant(turn), weight: 1 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.integer({ min: 1, max: 50 }), async (pieces, most) => {
        const slices = await slicesOf(new PieceStream(pieces, most));
        assert.deepEqual(Buffer.concat(slices), Buffer.concat(pieces));
        assert.ok(slices.every(({ length }) => length > 0 && length <= most));
      }),
    );
  });

  it('is made only as far as it is read', async () => {
    let made = 0;
    function* pieces(): Generator<Buffer> {
      for (; made < 100; made++) yield Buffer.alloc(1000);
    }
    const stream = new PieceStream(pieces(), 1000);
    stream.read();
    for (let turns = 0; turns < 50; turns++) await setImmediate();
    assert.ok(made <= 2, `${made} pieces`);
    stream.destroy();
  });

  it('lets the event loop turn after each slice and where a piece asks for it', async () => {
    let turns = 0;
    const count = (): void => {
      turns++;
      timer = globalThis.setImmediate(count);
    };
    let timer = globalThis.setImmediate(count);
    await slicesOf(new PieceStream([Buffer.alloc(100), turn, turn, Buffer.alloc(50)], 10));
    clearImmediate(timer);
    assert.ok(turns >= 17, `${turns} turns`);
  });

  it('breaks off what makes its pieces when nobody wants them any more', async () => {
    let ended = false;
    function* pieces(): Generator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(10);
      } finally {
        ended = true;
      }
    }
    const stream = new PieceStream(pieces(), 10);
    stream.once('data', () => stream.destroy());
    await new Promise((resolve) => stream.once('close', resolve));
    assert.ok(ended);
  });

  it('ends with the error of what makes its pieces', async () => {
    function* pieces(): Generator<Buffer> {
      yield Buffer.alloc(10);
      throw new Error('a fault of ours');
    }
    await assert.rejects(slicesOf(new PieceStream(pieces(), 10)), /a fault of ours/);
  });
});

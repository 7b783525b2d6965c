import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { after, before, beforeEach, describe, it } from 'node:test';
import { endHeaders, endStream, frame, FrameReader, frameType, headerBlock, preface } from '../support/http2-frames.ts';
import { clusterCertificates, ScriptedReviews, securedServer, type SecuredServer } from '../support/secured-server.ts';
import { ask, rawConnection, type Target } from '../support/tls-client.ts';

const nodes = '/apis/metrics.k8s.io/v1beta1/nodes';
type Headers = readonly (readonly [name: string, value: string])[];

function head(method: string, path: string): Headers {
  return [
    [':method', method],
    [':path', path],
    [':scheme', 'https'],
    [':authority', 'x'],
  ];
}
const mallory = ['x-remote-user', 'mallory'] as const;
const admin = ['x-remote-user', 'admin'] as const;
const whole = endHeaders | endStream;

function request(headers: Headers, stream = 1, flags = whole): Buffer {
  return frame(frameType.headers, flags, stream, headerBlock(headers));
}

/** The same frame many times. */
function many(count: number, make: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}

const list = [...head('GET', nodes), mallory];
const cancel = Buffer.from([0, 0, 0, 8]);

describe('HTTP/2 attacks', () => {
  let server: SecuredServer;
  let proxy: Target;
  const reviews = new ScriptedReviews();
  reviews.onAccess = ({ user }) => ({ allowed: user === 'admin' });

  before(async () => {
    const certificates = await clusterCertificates();
    server = await securedServer({ certificates, reviews });
    proxy = { ...server.target, client: certificates.frontProxy };
  });
  after(async () => await server.stop());
  beforeEach(() => server.records.splice(0));

  /** What the server does first about the bytes: answers a request, resets a stream, or gives up the connection. */
  async function outcome(socket: TLSSocket, bytes: Buffer): Promise<string> {
    const frames = new FrameReader();
    const verdict = new Promise<string>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        for (const { type, payload } of frames.read(chunk)) {
          if (type === frameType.headers) resolve('answers');
          if (type === frameType.rstStream) resolve('resets');
          if (type === frameType.goaway && payload.readUInt32BE(4) !== 0) resolve('closes');
        }
      });
      socket.on('close', () => resolve('closes'));
    });
    socket.write(Buffer.concat([preface, bytes]));
    return await verdict;
  }

  for (const [expected, name, bytes] of [
    ['answers', 'a method that nobody knows', request([...head('BREW', nodes), mallory])],
    ['resets', 'a method with a space', request([...head('GET /livez', nodes), mallory])],
    ['resets', 'a second path', request([...head('GET', '/livez'), [':path', nodes], admin])],
    ['resets', 'a path after the headers', request([...head('GET', '/livez').slice(0, 1), admin, [':path', nodes]])],
    ['resets', 'no path', request([[':method', 'GET'], [':scheme', 'https'], admin])],
    ['resets', 'an empty path', request([...head('GET', ''), admin])],
    ['resets', 'a header name in upper case', request([...head('GET', nodes), ['X-Remote-User', 'admin']])],
    ['resets', 'a Connection header', request([...head('GET', nodes), mallory, ['connection', 'x-remote-user']])],
    ['resets', 'a transfer coding', request([...head('POST', nodes), mallory, ['transfer-encoding', 'chunked']])],
    ['answers', 'a line feed in a value', request([...head('GET', nodes), ['x-a', 'b\r\nx-remote-user: admin']])],
    ['answers', 'a NUL in a value', request([...head('GET', nodes), ['x-remote-user', 'ad\0min']])],
    ['answers', 'a tunnel', request([[':method', 'CONNECT'], [':authority', 'x:1'], admin])],
    [
      'answers',
      'an identity in trailers',
      Buffer.concat([request(head('POST', nodes), 1, endHeaders), request([admin], 1)]),
    ],
    [
      'resets',
      'more body than its length',
      Buffer.concat([
        request([...head('POST', nodes), mallory, ['content-length', '1']], 1, endHeaders),
        frame(frameType.data, endStream, 1, Buffer.from('12')),
      ]),
    ],
    ['closes', 'the stream id of a server', request(list, 2)],
    ['closes', 'a pushed request', frame(frameType.pushPromise, endHeaders, 1, Buffer.alloc(8))],
    ['closes', 'a frame that is too large', frame(frameType.data, 0, 1, Buffer.alloc(17_000))],
    ['closes', 'what is no HTTP/2', Buffer.alloc(5000, 'A')],
    [
      'closes',
      'windows opened too wide',
      many(2, () => frame(frameType.windowUpdate, 0, 0, Buffer.from([0x7f, 255, 255, 255]))),
    ],
    [
      'closes',
      'headers continued without end',
      Buffer.concat([
        request(list, 1, endStream),
        many(1000, () => frame(frameType.continuation, 0, 1, headerBlock([['x-a', 'b'.repeat(1000)]]))),
      ]),
    ],
    [
      'closes',
      'headers continued with nothing',
      Buffer.concat([request(list, 1, endStream), many(10_000, () => frame(frameType.continuation, 0, 1))]),
    ],
    [
      'closes',
      'streams opened and reset again and again',
      many(5000, (index) =>
        Buffer.concat([request(list, 2 * index + 1), frame(frameType.rstStream, 0, 2 * index + 1, cancel)]),
      ),
    ],
  ] as const satisfies readonly (readonly [string, string, Buffer])[]) {
    it(`${expected} ${name}, and lets nobody in`, async () => {
      const socket = await rawConnection(proxy, { ALPNProtocols: ['h2'] });
      assert.equal(await outcome(socket, bytes), expected);
      socket.destroy();
      assert.deepEqual(
        server.records.filter(({ status }) => status < 400),
        [],
      );
      assert.equal((await ask(proxy, nodes, { headers: { 'x-remote-user': 'admin' } })).status, 200);
    });
  }

  it('closes the connection of a client that pings and reads nothing', async () => {
    const socket = await rawConnection(proxy, { ALPNProtocols: ['h2'] });
    socket.pause();
    socket.write(preface);
    const pings = many(1000, () => frame(frameType.ping, 0, 0, Buffer.alloc(8)));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const fill = (): void => {
      while (socket.writable && socket.write(pings)) continue;
    };
    socket.on('drain', fill);
    fill();
    await closed;
  });

  it('holds no more streams of one client than it has said', async () => {
    const socket = await rawConnection(proxy, { ALPNProtocols: ['h2'] });
    const reset = new Set<number>();
    const frames = new FrameReader();
    socket.on('data', (chunk: Buffer) => {
      for (const { type, stream } of frames.read(chunk)) if (type === frameType.rstStream) reset.add(stream);
    });
    // Without a window for the answers no stream ends.
    const noWindow = frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]));
    socket.write(Buffer.concat([preface, noWindow, many(300, (index) => request(list, 2 * index + 1))]));
    while (reset.size < 200) await once(socket, 'data');
    assert.ok(server.records.length <= 100);
    socket.destroy();
  });
});

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import { seconds } from '../../src/model/units.ts';
import { eventually } from '../support/eventually.ts';
import { FakeApiServer, hang, OpenStream } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { fails } from '../support/kube-fails.ts';

describe('streaming from the API server', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let clock: FakeClock;

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    client = new KubeClient(await apiServer(server), { clock });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
    assert.equal(clock.waiting, 0, 'timers left behind');
  });

  it('gives lines as they come, however they are cut', async () => {
    const stream = new OpenStream();
    server.on('/w', stream.answer);
    const lines = (await client.stream('/w'))[Symbol.asyncIterator]();
    await stream.write('{"a":1}\n{"b"');
    assert.equal((await lines.next()).value, '{"a":1}');
    const umlaut = Buffer.from(':"ü"}\n\n');
    await stream.write(umlaut.subarray(0, 3));
    await stream.write(umlaut.subarray(3));
    assert.equal((await lines.next()).value, '{"b":"ü"}');
    await stream.write('{"c":3}');
    await stream.end();
    assert.equal((await lines.next()).value, '{"c":3}');
    assert.equal((await lines.next()).done, true);
  });

  it('stays open past the deadline of opening', async () => {
    const stream = new OpenStream();
    server.on('/w', stream.answer);
    const lines = (await client.stream('/w', { timeout: seconds(5) }))[Symbol.asyncIterator]();
    await clock.advance(3_600_000);
    await stream.write('late\n');
    assert.equal((await lines.next()).value, 'late');
    await lines.return?.();
  });

  it('fails when the server does not accept it in time', async () => {
    server.on('/w', hang);
    const opening = assert.rejects(client.stream('/w', { timeout: seconds(5) }), fails('timeout'));
    await eventually(() => server.requests.length === 1);
    await clock.advance(5000);
    await opening;
  });

  it('refuses an endless line', async () => {
    const stream = new OpenStream();
    server.on('/w', stream.answer);
    const lines = (await client.stream('/w', { maxSize: 10 }))[Symbol.asyncIterator]();
    const next = assert.rejects(lines.next(), fails('too_large', /longer than 10 characters/));
    await stream.write('12345678901');
    await next;
  });

  it('fails when the connection breaks', async () => {
    const stream = new OpenStream();
    server.on('/w', stream.answer);
    const lines = (await client.stream('/w'))[Symbol.asyncIterator]();
    const next = assert.rejects(lines.next(), fails('unreachable'));
    await stream.break();
    await next;
  });

  it('closes its connection when left early', async () => {
    const stream = new OpenStream();
    server.on('/w', stream.answer);
    const lines = await client.stream('/w');
    await stream.write('one\ntwo\n');
    const { socket } = await stream.opened();
    for await (const line of lines) {
      assert.equal(line, 'one');
      break;
    }
    await eventually(() => socket?.destroyed === true, 'the connection closed');
  });
});

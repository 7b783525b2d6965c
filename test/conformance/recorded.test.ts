import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readJson } from '../support/json-file.ts';
import { ask } from '../support/tls-client.ts';
import { recordedServer, type RecordedServer } from './recorded-cluster.ts';

interface Case {
  readonly name: string;
  readonly as?: string | null;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Here we mean to differ: only status and headers are compared. */
  readonly ignoreBody?: boolean;
}

interface Recorded {
  readonly response: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly bodyBase64?: string;
  };
}

const cases = readJson(new URL('./data/cases.json', import.meta.url)) as Case[];
const golden = readJson(new URL('./data/golden.json', import.meta.url)) as Record<string, Recorded>;
const comparedHeaders = ['content-type', 'cache-control', 'vary'];

describe('a metrics-server behind a real API server answered the same', () => {
  let recorded: RecordedServer;
  before(async () => {
    recorded = await recordedServer();
  });
  after(async () => await recorded.server.stop());

  for (const asked of cases)
    it(asked.name, async () => {
      const expected = golden[asked.name]?.response;
      assert.ok(expected !== undefined);
      const client = asked.as === null || asked.as === undefined ? undefined : recorded.users[asked.as];
      const reply = await ask({ ...recorded.server.target, client }, asked.path, {
        method: asked.method ?? 'GET',
        headers: asked.headers ?? {},
      });
      assert.equal(reply.status, expected.status, reply.body);
      for (const name of comparedHeaders)
        assert.equal(loose(reply.headers[name]), loose(expected.headers[name]), `header ${name}`);
      if (asked.ignoreBody !== true && expected.body !== undefined)
        assert.equal(withoutVolatile(reply.body), withoutVolatile(expected.body));
    });
});

function loose(value: string | string[] | undefined): string {
  return String(value ?? '')
    .toLowerCase()
    .replaceAll(' ', '');
}

/** Times, durations and quantities differ from run to run. */
function withoutVolatile(body: string): string {
  return body
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
    .replace(/"window": ?"[^"]+"/g, '"window":"<duration>"')
    .replace(/\b(\d+h)?(\d+m)?\d+(\.\d+)?s\b(?=")/g, '<duration>')
    .replace(/"(cpu|memory)": ?"\d+[a-zA-Z]*"/g, '"$1":"<quantity>"')
    .replace(/"(cpu|memory)": ?"<quantity>"/g, '"$1":"<quantity>"')
    .replace(/("cells":\["[^"]*",)"[^"]+","[^"]+",/g, '$1"<quantity>","<quantity>",')
    .replace(/\b(cpu|memory): "?[0-9<]\S*/g, '$1: <quantity>')
    .replace(/\bwindow: \S+/g, 'window: <duration>');
}

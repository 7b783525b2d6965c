import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { manifests } from './manifest-objects.ts';

const project = join(manifests, '..');
const lines = readFileSync(join(project, 'hack', 'Dockerfile'), 'utf8').split('\n');
const ignore = readFileSync(join(project, 'hack', 'Dockerfile.dockerignore'), 'utf8').split('\n');

describe('the image', () => {
  it('copies files that exist and that the build context holds', () => {
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(' ').slice(1, -1));
    assert.ok(sources.length > 4);
    for (const source of sources) {
      assert.ok(existsSync(join(project, source)), source);
      assert.ok(ignore.includes(`!${source}`), source);
    }
  });

  it('runs as a numbered user that is not root, on the Node.js that is supported longest', () => {
    assert.ok(lines.includes('USER 65532:65532'));
    assert.ok(lines.some((line) => line.startsWith('FROM gcr.io/distroless/nodejs24-')));
    assert.ok(lines.includes('ENTRYPOINT ["/nodejs/bin/node", "/app/main.js"]'));
  });

  it('has the labels of the Open Container Initiative', () => {
    const text = lines.join('\n');
    for (const label of ['title', 'description', 'version', 'revision', 'created', 'licenses', 'base.name'])
      assert.ok(text.includes(`org.opencontainers.image.${label}=`), label);
  });
});

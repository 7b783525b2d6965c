import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { thirdPartyLicenses } from '../../hack/third-party-licenses.mjs';
import { at, manifests, readObjects } from '../manifests/manifest-objects.ts';
import { buildImage, type Image } from './build.ts';

const project = join(manifests, '..');
const given = { VERSION: '1.2.3', REVISION: '0123abc', CREATED: '2026-01-02T03:04:05Z' };

describe('the image', () => {
  let directory: string;
  let image: Image;
  let app: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'image-'));
    image = buildImage(directory, given);
    app = join(image.root, 'app');
  });
  after(() => rmSync(directory, { recursive: true }));

  it('holds one bundled file, the licences, the list of what is bundled, and what says that it is an ES module', () => {
    const files = ['LICENSE', 'main.js', 'package.json', 'sbom.cdx.json', 'third-party-licenses.txt'];
    assert.deepEqual(readdirSync(app).sort(), files);
    const { type } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as { type: string };
    assert.equal(type, 'module');
  });

  it('has the licence of every package that runs in it', () => {
    const licenses = readFileSync(join(app, 'third-party-licenses.txt'), 'utf8');
    const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(dependencies))
      assert.match(licenses, new RegExp(`^${name} ${version.replaceAll('.', String.raw`\.`)} \\([\\w.-]+\\)$`, 'm'));
    assert.match(licenses, /Permission is hereby granted, free of charge/);
  });

  it('lists every package that is in the bundle, and none that is for development', () => {
    const sbom = JSON.parse(readFileSync(join(app, 'sbom.cdx.json'), 'utf8')) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { name: string; version: string }[];
    };
    assert.equal(sbom.bomFormat, 'CycloneDX');
    assert.equal(sbom.metadata.component.name, 'kubetally');
    const listed = new Set(sbom.components.map(({ name, version }) => `${name} ${version}`));
    const licenses = readFileSync(join(app, 'third-party-licenses.txt'), 'utf8');
    const bundled = [...licenses.matchAll(/^=+\n(\S+ \d\S+) \(/gm)].map(([, title = '']) => title);
    assert.ok(bundled.length > 40);
    assert.deepEqual(
      bundled.filter((title) => !listed.has(title)),
      [],
    );
    const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string; dev?: boolean }>;
    };
    const shipped = new Set(
      Object.entries(packages).flatMap(([path, { version, dev }]) =>
        dev === true ? [] : [`${path.replace(/^.*node_modules\//, '')} ${version}`],
      ),
    );
    assert.deepEqual(
      [...listed].filter((title) => !shipped.has(title)),
      [],
    );
  });

  it('says of which commit it is', () => {
    const bundle = readFileSync(join(app, 'main.js'), 'utf8');
    assert.match(bundle, new RegExp(`commit:\\s*"${given.REVISION}"`));
    assert.match(bundle, new RegExp(`date:\\s*"${given.CREATED}"`));
  });

  it('has the labels of the Open Container Initiative', () => {
    const {
      title,
      description,
      version,
      revision,
      created,
      licenses,
      'base.name': base,
    } = Object.fromEntries(
      Object.entries(image.labels).map(([name, value]) => [name.replace('org.opencontainers.image.', ''), value]),
    );
    assert.deepEqual([title, licenses], ['kubetally', 'Apache-2.0']);
    assert.ok(description);
    assert.deepEqual([version, revision, created], [given.VERSION, given.REVISION, given.CREATED]);
    assert.equal(base, image.base);
  });

  it('runs on the Node.js that is supported longest', () =>
    assert.match(image.base, /^gcr\.io\/distroless\/nodejs24-debian\d+:nonroot$/));

  it('gives the heap a share of the memory limit, in a way that a pod can replace, and free memory back', () => {
    assert.equal(image.env['NODE_OPTIONS'], '--max-old-space-size-percentage=40 --max-semi-space-size=8');
    assert.equal(image.env['MALLOC_MMAP_THRESHOLD_'], String(32 * 1024));
    // No others: under most, V8 does not take the compiled form of Node's own modules that comes with Node.
    const settings = ['--min-semi-space-size=2', '--no-memory-reducer'];
    assert.deepEqual(image.entrypoint, ['/nodejs/bin/node', '--use-openssl-ca', ...settings, '/app/main.js']);
  });

  it('runs as the user of the Deployment and of the chart, and listens where they say', () => {
    const [deployment] = readObjects(readFileSync(join(manifests, 'base/deployment.yaml'), 'utf8'));
    const pod = at(deployment, 'spec', 'template', 'spec');
    const values: unknown = parse(readFileSync(join(manifests, 'chart/values.yaml'), 'utf8'));
    for (const security of [at(pod, 'securityContext'), at(values, 'securityContext')])
      assert.deepEqual([at(security, 'runAsUser'), at(security, 'runAsGroup')], [image.user.uid, image.user.gid]);
    for (const security of [at(pod, 'containers', 0, 'securityContext'), at(values, 'securityContext')])
      assert.equal(at(security, 'readOnlyRootFilesystem'), true);
    assert.equal(at(pod, 'containers', 0, 'ports', 0, 'containerPort'), image.port);
    assert.equal(at(pod, 'volumes'), undefined);
  });

  it('is built as the installation guide says', () => {
    const documented = readFileSync(join(manifests, 'docs/install.md'), 'utf8');
    const command = /^docker build (?:.*\\\n)*.*$/m.exec(documented)?.[0] ?? '';
    assert.match(command, /-f hack\/Dockerfile .* \.$/s);
    for (const name of Object.keys(given)) assert.match(command, new RegExp(`--build-arg ${name}=`));
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
    assert.ok(command.includes(`VERSION=${version} `) && command.includes(`kubetally:v${version} `));
  });
});

it('a bundle with a package that says nothing of its licence is refused', (t) => {
  const packages = join(mkdtempSync(join(tmpdir(), 'licenses-')), 'node_modules');
  t.after(() => rmSync(dirname(packages), { recursive: true }));
  const lay = (name: string, description: object, license?: string): void => {
    mkdirSync(join(packages, name), { recursive: true });
    writeFileSync(join(packages, name, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...description }));
    if (license !== undefined) writeFileSync(join(packages, name, 'LICENCE.txt'), license);
  };
  lay('@some/thing', {}, 'You may.');
  lay('named', { license: 'ISC' });
  lay('silent', {});
  const licenses = (...names: string[]): string =>
    thirdPartyLicenses(['src/main.ts', ...names.map((name) => join(packages, name, 'lib/index.js'))]);
  assert.match(
    licenses('named', '@some/thing'),
    /@some\/thing 1\.0\.0 \(see below\)\n=+\n\nYou may\.\n[^]*named 1\.0\.0 \(ISC\)/,
  );
  assert.throws(() => licenses('named', 'silent'), /silent 1\.0\.0 says nothing of its licence/);
});

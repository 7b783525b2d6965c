import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import type { Kubectl } from './kubectl.ts';

/** A kustomization of the project's own manifests with components and patches on top, written into a temporary directory. */
export interface Kustomization {
  readonly resource: string;
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly target: { readonly kind: string }; readonly patch: string }[];
}

/** Renders a kustomization; paths are relative to the folder `manifests`. */
export async function render(
  kubectl: Kubectl,
  directory: string,
  { resource, components = [], patches = [] }: Kustomization,
): Promise<string> {
  await mkdir(directory, { recursive: true });
  // Kustomize takes no absolute paths.
  const from = await realpath(directory);
  const manifests = await realpath('manifests');
  const path = (name: string): string => relative(from, join(manifests, name));
  const content = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [path(resource)],
    components: components.map(path),
    patches,
  };
  await writeFile(join(from, 'kustomization.yaml'), stringify(content));
  return await kubectl.run('kustomize', from);
}

/** What differs from the base for a server outside the cluster: the Service leads to this machine, the APIServices name the port. */
export function outside(port: number): NonNullable<Kustomization['patches']> {
  const replace = (path: string, value: unknown): string => stringify([{ op: 'replace', path, value }]);
  return [
    { target: { kind: 'Service' }, patch: replace('/spec', { type: 'ExternalName', externalName: 'localhost' }) },
    { target: { kind: 'APIService' }, patch: replace('/spec/service/port', port) },
  ];
}

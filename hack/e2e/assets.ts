import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';

/** Programs of a control plane. */
export interface Assets {
  readonly etcd: string;
  readonly kubeApiServer: string;
  readonly kubectl: string;
  /** Without it nothing makes pods of Deployments, and nothing scales them. */
  readonly kubeControllerManager: string | undefined;
}

/**
 * Looks for the programs in the folder that `KUBEBUILDER_ASSETS` names, as controller-runtime's envtest does.
 * @returns a text that says what is missing, when something is
 */
export function findAssets(folder: string | undefined): Assets | string {
  if (folder === undefined || folder === '')
    return 'KUBEBUILDER_ASSETS is not set: it names a folder with etcd, kube-apiserver, kubectl and, for autoscaling, kube-controller-manager';
  const program = (name: string): string | undefined => {
    const path = join(resolve(folder), name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      return undefined;
    }
  };
  const [etcd, kubeApiServer, kubectl] = ['etcd', 'kube-apiserver', 'kubectl'].map(program);
  if (etcd === undefined || kubeApiServer === undefined || kubectl === undefined)
    return `KUBEBUILDER_ASSETS=${folder} lacks etcd, kube-apiserver or kubectl`;
  return { etcd, kubeApiServer, kubectl, kubeControllerManager: program('kube-controller-manager') };
}

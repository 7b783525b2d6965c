import type { Clock } from '../model/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { Credentials, type CredentialSources, type KubeCredentials } from './credentials.ts';

/** Files that take the place of the API server's when speaking with kubelets; undefined keeps that. */
export interface KubeletFiles {
  /** `--kubelet-certificate-authority` */
  readonly certificateAuthority: string | undefined;
  /** `--kubelet-client-certificate` and `--kubelet-client-key`: both or none. */
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
}

/**
 * The credentials for kubelets: those for the API server, with files of their own in place of the authority and of the client certificate. All are followed
 * while they rotate. Rejects with `KubeError` `config` that names a file that cannot be used.
 */
export async function kubeletCredentials(
  server: KubeCredentials,
  files: KubeletFiles,
  clock: Clock,
  logger: Logger,
): Promise<KubeCredentials> {
  const sources = fileSources(files);
  if (sources.ca === undefined && sources.certificate === undefined) return server;
  const own = await Credentials.read(sources, async () => await Promise.resolve(sources), clock, logger);
  return {
    async authorizationHeader(signal) {
      await own.authorizationHeader(signal);
      return await server.authorizationHeader(signal);
    },
    clientCertificate: () => own.clientCertificate() ?? server.clientCertificate(),
    ca: () => own.ca() ?? server.ca(),
    onRotate(listener) {
      const stops = [own.onRotate(listener), server.onRotate(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function fileSources({ certificateAuthority, clientCertificate, clientKey }: KubeletFiles): CredentialSources {
  const file = (path: string, field: string) => ({ kind: 'file', path, field }) as const;
  return {
    ...(certificateAuthority === undefined
      ? {}
      : { ca: file(certificateAuthority, '--kubelet-certificate-authority') }),
    ...(clientCertificate === undefined || clientKey === undefined
      ? {}
      : {
          certificate: {
            cert: file(clientCertificate, '--kubelet-client-certificate'),
            key: file(clientKey, '--kubelet-client-key'),
          },
        }),
  };
}

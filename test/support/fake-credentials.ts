import { systemClock, type Clock } from '../../src/model/clock.ts';
import type { ApiServer } from '../../src/kube/api-server.ts';
import { Credentials, type CredentialSources } from '../../src/kube/credentials.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import type { FakeApiServer } from './fake-api-server.ts';

/** A fake API server as a kubeconfig would describe it: its CA and a token. */
export async function apiServer(
  server: FakeApiServer,
  {
    sources = {},
    clock = systemClock,
    ...rest
  }: { sources?: CredentialSources; clock?: Clock } & Partial<ApiServer> = {},
): Promise<ApiServer> {
  const all: CredentialSources = {
    ca: { kind: 'inline', text: server.authority.cert, field: 'certificate-authority-data' },
    token: { kind: 'inline', text: 'sesame', field: 'token' },
    ...sources,
  };
  return {
    url: new URL(server.url),
    serverName: undefined,
    insecure: false,
    proxy: undefined,
    credentials: await Credentials.read(all, async () => all, clock, silentLogger),
    source: 'test',
    ...rest,
  };
}
